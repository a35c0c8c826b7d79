/* Shows the shapes of an uploaded file over our own streets, before anything is written. */
"use strict";
(async () => {
  const box = document.getElementById("preview");
  const map = L.map(box, { preferCanvas: true, maxZoom: 19 }).setView([31.227, 121.5195], 14);
  map.attributionControl.setPrefix(false);
  const P = window.protomapsL;
  P.leafletLayer({ url: location.origin + box.dataset.tiles, backgroundColor: "#EEF1F0", maxDataZoom: 18, labelRules: [], attribution: "",
    paintRules: [
      { dataLayer: "buildings", symbolizer: new P.PolygonSymbolizer({ fill: "#E1E5E7" }) },
      { dataLayer: "roads", symbolizer: new P.LineSymbolizer({ color: "#B8C2C8", width: 3 }) },
    ] }).addTo(map);
  const answer = await fetch(box.dataset.shapes, { headers: { Accept: "application/json" } });
  const say = (words) => {
    const line = document.createElement("p");
    line.className = "notice";
    line.setAttribute("role", "status");
    line.textContent = words;
    box.after(line);
  };
  if (!answer.ok) { say(box.dataset.failed); return; }
  const layer = L.geoJSON(await answer.json(), {
    style: { color: "#0B5CAD", weight: 3, fillOpacity: 0.2 },
    pointToLayer: (_f, at) => L.circleMarker(at, { radius: 5, color: "#0B5CAD", fillOpacity: 0.8 }),
  }).addTo(map);
  if (!layer.getLayers().length) say(box.dataset.empty);
  else map.fitBounds(layer.getBounds(), { padding: [20, 20] });
})();
