"""Folium pages and their vector tiles. Read: tiles (what is drawn), folium_pages (how), views."""
