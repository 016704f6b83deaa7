"""How other programs control a running one: a socket that belongs to the user alone.

What `vivavoce ctl` needs (:mod:`place`, :mod:`transport`, :mod:`client`) imports nothing that is
slow to load: it is bound to keys.
"""
