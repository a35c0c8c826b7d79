"""Cases on paper: 案件单 for one, 巡办清单 for a round on foot, with their drawings."""
