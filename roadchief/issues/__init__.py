"""Case handling. Read in this order: workflow (what may happen), deadlines, routing, categories,

cases (making it happen), handling, feedback, duplicates, board and story (seeing it).
"""
