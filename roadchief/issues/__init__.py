"""Case handling. Read in this order: workflow (what may happen), deadlines, routing, categories,
cases (making it happen), opening, handling, adjusting, merging, reach, board and story (seeing it).

This core knows none of its rooms; each room knows the core and what stands below it, and
`all_views`, `jobs` and `cli` put them together. Rooms, high to low (tests/test_house.py holds it):

* desk: the pages of departments, operation centre and chiefs
* feeds: public cases as Atom feeds
* open311: cases told to and taken from other systems; their keys
* merchants: what a shop sees of its cases, and asks help for
* sources: cases from elsewhere (patrols and their late photos, files of other systems)
* citizens: the report, the receipt, what its holder says, the pages that mails open
* office: own rules of routing, reply texts, what stands still
* mail: addresses proven, messages of steps, links in mails, what was told
* sheets: a case or a round of cases on paper
* figures: cases counted by day and shown by period
* triage: a category suggested from words
"""
