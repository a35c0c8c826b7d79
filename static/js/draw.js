/* Draws one point, line or area on a map of our own ground. The form's fields stay the truth: what
   is drawn is written there, what is typed there is shown, and without this script they still work.
   Nothing of what the server sends becomes HTML: texts go in by textContent. */
"use strict";
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const C = dark
    ? { paper: "#1A2227", road: "#35424A", building: "#253037", roof: "#303C44", green: "#20352A", water: "#1C3242", line: "#7C8B95", zone: "#8FA3B0", mine: "#7DB7F0", ink: "#E8EDF0", permit: "#E0B450" }
    : { paper: "#EEF1F0", road: "#FFFFFF", building: "#E1E5E7", roof: "#D3D9DC", green: "#D8E8DA", water: "#CFE1EC", line: "#5B6770", zone: "#51606B", mine: "#0B5CAD", ink: "#16222B", permit: "#8A6000" };
  const NEAR_FROM = 15; // farther out a background of doors is a blot
  const round = (n) => Number(n.toFixed(7));

  function background(map) {
    const P = window.protomapsL;
    const metres = (m, z) => (m * 2 ** z * 256) / (40075016.7 * Math.cos((31.2 * Math.PI) / 180));
    P.leafletLayer({
      url: location.origin + "/tiles/background/{z}/{x}/{y}.mvt", backgroundColor: C.paper, maxDataZoom: 18, attribution: "", labelRules: [],
      paintRules: [
        { dataLayer: "buildings", symbolizer: new P.PolygonSymbolizer({ fill: C.green }), filter: (z, f) => f.props.kind === "green" },
        { dataLayer: "buildings", symbolizer: new P.PolygonSymbolizer({ fill: C.water }), filter: (z, f) => f.props.kind === "water" },
        { dataLayer: "buildings", symbolizer: new P.PolygonSymbolizer({ fill: C.building, stroke: C.roof, width: 1 }), filter: (z, f) => f.props.kind === "building" },
        { dataLayer: "roads", symbolizer: new P.LineSymbolizer({ color: C.road, width: (z, f) => Math.max(2, metres(2 * (f ? f.props.kerb_m : 5), z)) }) },
      ],
    }).addTo(map);
  }

  /* What lies around, as far as one looks: never touched by the pen, its corners attract it. */
  function around(map, box) {
    const style = {
      segment: { color: C.line, weight: 2, dashArray: "6 5" },
      front: { color: C.ink, weight: 2 },
      zone: { color: C.zone, weight: 1, fillOpacity: 0.12 },
      permit: { color: C.permit, weight: 1.5, fillOpacity: 0.2 },
    };
    let shown = null;
    const load = async () => {
      if (map.getZoom() < NEAR_FROM) return;
      const b = map.getBounds();
      const bbox = [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()].map((n) => n.toFixed(6)).join(",");
      const answer = await fetch(box.dataset.near + "?bbox=" + bbox, { headers: { Accept: "application/json" } }).catch(() => null);
      if (!answer || !answer.ok) return;
      const layer = L.geoJSON(await answer.json(), {
        interactive: true,
        style: (f) => style[f.properties.kind],
        pointToLayer: (f, at) => L.circleMarker(at, { radius: 4, weight: 1.5, color: C.ink, fillColor: C.paper, fillOpacity: 1, snapIgnore: true }),
        onEachFeature: (f, one) => {
          if (f.properties.kind !== "door") return;
          const word = document.createElement("span");
          word.textContent = f.properties.name || "";
          one.bindTooltip(word, { direction: "top" });
        },
      });
      if (shown) shown.remove();
      shown = layer.addTo(map);
      shown.eachLayer((one) => {
        one.bringToBack?.();
        one.getElement?.()?.setAttribute("tabindex", "-1"); // to be looked at: no stops on the way to the buttons
      });
    };
    let timer;
    map.on("moveend", () => { clearTimeout(timer); timer = setTimeout(load, 200); });
    load();
  }

  const button = (words, act) => {
    const one = document.createElement("button");
    one.type = "button"; one.className = "soft"; one.textContent = words;
    one.addEventListener("click", act);
    return one;
  };

  function frame(box) {
    box.classList.add("on");
    const map = L.map(box, { maxZoom: 20, zoomControl: false, attributionControl: false });
    const [west, south, east, north] = JSON.parse(box.dataset.bounds);
    map.fitBounds([[south, west], [north, east]], { maxZoom: 19, padding: [8, 8] });
    const words = JSON.parse(box.dataset.words);
    L.control.zoom({ position: "bottomright", zoomInTitle: words.closer, zoomOutTitle: words.farther }).addTo(map);
    L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
    background(map);
    around(map, box);
    const bar = document.createElement("div");
    bar.className = "drawbar";
    const told = document.createElement("p");
    told.className = "sub"; told.setAttribute("role", "status");
    box.after(bar, told);
    box.drawing = map;
    return { map, words, bar, told };
  }

  function pointer(box) {
    const { map, words, bar, told } = frame(box);
    const [lon, lat, datum] = ["lon", "lat", "datum"].map((key) => document.getElementById(box.dataset[key]));
    const cross = L.circleMarker([0, 0], { radius: 9, weight: 3, color: C.mine, fillOpacity: 0.25 });
    const put = (at) => {
      lon.value = at.lng.toFixed(7); lat.value = at.lat.toFixed(7);
      datum.value = "wgs84"; // our map is not shifted
      cross.setLatLng(at).addTo(map); told.textContent = words.placed;
    };
    map.on("click", (event) => put(event.latlng));
    bar.append(button(words.centre, () => put(map.getCenter())));
    const typed = () => {
      const at = L.latLng(Number(lat.value), Number(lon.value));
      if (datum.value !== "wgs84" || !lon.value || !lat.value) { cross.remove(); return; }
      cross.setLatLng(at).addTo(map); map.panTo(at);
    };
    for (const one of [lon, lat, datum]) one.addEventListener("change", typed);
    if (lon.value && lat.value) { cross.setLatLng([Number(lat.value), Number(lon.value)]).addTo(map); }
    told.textContent = words.touch;
  }

  function shape(box) {
    const { map, words, bar, told } = frame(box);
    const kind = box.dataset.draw, target = document.getElementById(box.dataset.target);
    const style = { color: C.mine, weight: 3, fillOpacity: 0.2 };
    map.pm.setLang(document.documentElement.lang.startsWith("zh") ? "zh" : "en");
    map.pm.setPathOptions(style);
    /* The pen's handles are buttons without a name. */
    const pane = map.getPane("markerPane");
    const name = () => pane.querySelectorAll(".marker-icon:not([aria-label])").forEach((one) => one.setAttribute("aria-label", words.corners));
    new MutationObserver(name).observe(pane, { childList: true });
    let mine = null, corners = [];

    const write = () => {
      const geometry = mine.toGeoJSON().geometry;
      const tidy = (part) => (typeof part[0] === "number" ? part.map(round) : part.map(tidy));
      geometry.coordinates = tidy(geometry.coordinates);
      target.value = JSON.stringify(geometry);
    };
    const keep = (layer) => {
      if (mine && mine !== layer) { mine.pm.disable(); mine.remove(); }
      mine = layer;
      mine.on("pm:edit pm:markerdragend pm:vertexremoved pm:vertexadded", write);
    };
    const change = () => { if (mine) { mine.pm.enable({ snapDistance: 12, allowSelfIntersection: false }); told.textContent = words.dragging; } };
    const read = () => {
      let geometry;
      try { geometry = JSON.parse(target.value); } catch { return; }
      if (!geometry || geometry.type !== (kind === "polygon" ? "Polygon" : "LineString")) return;
      try { keep(L.geoJSON(geometry, { style }).getLayers()[0].addTo(map)); } catch { return; }
      map.fitBounds(mine.getBounds(), { maxZoom: 19, padding: [40, 40] });
    };
    map.on("pm:create", ({ layer }) => { keep(layer); write(); change(); });
    const draw = () => { map.pm.enableDraw(kind === "polygon" ? "Polygon" : "Line", { snapDistance: 12, tooltips: true, allowSelfIntersection: false }); told.textContent = words.drawing; };
    /* For the keyboard: the arrows move the map, the button sets a corner in its middle. */
    const addCorner = () => {
      map.pm.disableDraw();
      corners.push(map.getCenter());
      const least = kind === "polygon" ? 3 : 2;
      told.textContent = words.corners + " " + corners.length + " / ≥ " + least;
      if (corners.length < least) return;
      keep((kind === "polygon" ? L.polygon(corners, style) : L.polyline(corners, style)).addTo(map));
      write();
    };
    const clear = () => { map.pm.disableDraw(); corners = []; if (mine) { mine.pm.disable(); mine.remove(); mine = null; } target.value = ""; told.textContent = ""; };
    bar.append(button(words.draw, () => { corners = []; draw(); }), button(words.change, change), button(words.corner, addCorner), button(words.clear, clear));
    target.addEventListener("change", read);
    target.form.addEventListener("submit", () => { if (mine) write(); });
    read();
    if (mine) change();
  }

  function begin(box) {
    if (box.dataset.begun) return;
    box.dataset.begun = "1";
    (box.dataset.draw === "point" ? pointer : shape)(box);
  }
  for (const box of document.querySelectorAll("[data-draw]")) {
    const fold = box.closest("details");
    if (!fold || fold.open) begin(box);
    else fold.addEventListener("toggle", () => fold.open && begin(box));
  }
})();
