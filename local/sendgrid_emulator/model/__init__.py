"""What an account holds: contacts, fields, lists, jobs, files, the calls made and faults ordered.

Nothing happens here by itself: `jobs` carries jobs out, `gate` and `routes` take calls.
"""
