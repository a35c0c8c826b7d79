"""Patrol: shifts, check-ins judged fairly, coverage, review. Nothing lost, nothing twice.

The core (rows, rules.toml, which visits count, who is told) knows none of its rooms; each room
knows the core and what stands below it, and `all_views`, `jobs` and `cli` put them together.
Rooms, high to low (tests/test_house.py holds it):

* chief: the chief's morning, the week's plan, shifts, reviews, alerts
* reports: the month: its figures, the assessment, the A4
* phone: what a phone takes along, and what it sends
* selfchecks: merchants look at their own shops
* checklists: what a visit is asked about, in versions
* coverage: how much of the ground was seen
* doubts: what looks odd about a visit, and who looks at it
* presence: was somebody there, and how far still counts as there
* planning: who walks when, and what is due
* routes: in which order to walk
* items: what phones send, read, dated and answered
"""
