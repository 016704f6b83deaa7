"""``vivavoce bench`` on any machine: the harness, and what it costs and how fast it is here.

A benchmark is here when it needs no checkout and its figures say something about the user's own
machine or program. All others are the developers': the folder ``bench`` of a checkout, which
imports the harness from here.
"""
