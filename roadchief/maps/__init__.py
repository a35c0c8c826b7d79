"""Folium pages and the layers behind them. Read: layers (what is drawn), folium_pages (how)."""
