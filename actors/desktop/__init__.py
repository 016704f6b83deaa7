"""What the actors of the desktop share, and no actor.

Here lives what trigger, injection and history tell one another beside the stream: which modifier
keys are held, and what became of a text. How keys are heard is the trigger's business, how they
are pressed injection's.
"""
