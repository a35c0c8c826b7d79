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
  const found = await answer.json();
  if (found.border) L.geoJSON(found.border, { interactive: false, style: { color: "#51606B", weight: 2, dashArray: "6 5", fill: false } }).addTo(map);
  // Told apart by shape as well as by colour: what is refused is hollow or dotted.
  const draw = (kind, line, point) => L.geoJSON({ type: "FeatureCollection", features: found.features.filter((one) => one.properties.as === kind) }, {
    interactive: false, style: line, pointToLayer: (_one, at) => L.circleMarker(at, point),
  }).addTo(map);
  const outside = draw("outside", { color: "#B3261E", weight: 2, dashArray: "2 5", fillOpacity: 0 }, { radius: 6, color: "#B3261E", weight: 2, fill: false });
  const taken = draw("taken", { color: "#0B5CAD", weight: 4, fillOpacity: 0.2 }, { radius: 7, color: "#FFFFFF", weight: 2, fillColor: "#0B5CAD", fillOpacity: 1 });
  const kinds = [["taken", taken], ["outside", outside]].filter(([, layer]) => layer.getLayers().length);
  if (!kinds.length) { say(box.dataset.empty); return; }
  map.fitBounds(kinds[0][1].getBounds(), { padding: [24, 24], maxZoom: 17 });
  const legend = L.control({ position: "bottomleft" });
  legend.onAdd = () => {
    const list = L.DomUtil.create("ul", "previewkey");
    const names = kinds.map(([name]) => name).concat(found.border ? ["border"] : []);
    for (const name of names) {
      const item = L.DomUtil.create("li", name, list);
      item.textContent = box.dataset[name];
    }
    return list;
  };
  legend.addTo(map);
  if (found.more) say(box.dataset.more);
})();
