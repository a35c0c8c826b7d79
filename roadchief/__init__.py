"""RoadChief (路长制): named people answer for named road segments.

Read in this order: streets (the ground), accounts (the people), maps (what they see).
"""
