"""Hostile submissions, and the place where they are let loose.

====================  ================================================================================================
``deeds/``            what a student would hand in: the model answer, and functions that do harm along the way
``handins/``          submissions that are graded as a whole: ``end_to_end/test_hostile_gradings.py``
``neighbours/``       what disturbs a grading beside it: ``end_to_end/test_neighbours.py``
``table.py``          every attack: what a student reads about it, and which layers of the sandbox stop it
``watch.py``          what could be harmed, and eyes that see whether it was
``arena.py``          one attack against everything there is to harm, with honest submissions before, beside and after
``__main__.py``       all attacks under one set of layers: ``python -m tests.grader.attacks --help``
====================  ================================================================================================

Attacks succeed where layers are off, so all of them are harmless to the machine: they aim at files, processes and
sockets that the arena has made, their bombs have a bound, and the signal for everybody is one that nobody minds.
"""
