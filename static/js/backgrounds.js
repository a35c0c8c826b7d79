/* A choice of what lies under our data, where the settings offer one. Our own drawing is the default and
   comes back when the other cannot be read. Our data are WGS-84 and stay where they are, touches too:
   tiles of GCJ-02 are moved, each corner to where it is in WGS-84, which also leaves no seams. */
"use strict";
window.RoadChiefBackgrounds = (() => {
  const KEPT = "roadchief.background", PATIENCE_MS = 15000, FIRST_FAULTS = 3, LATER_FAULTS = 12;

  const Moved = L.TileLayer.extend({
    _getTilePos(coords) {
      const map = this._map, gcj = map.unproject(coords.scaleBy(this.getTileSize()), coords.z);
      const [lon, lat] = window.RoadChiefDatum.toWgs(gcj.lng, gcj.lat);
      return map.project([lat, lon], coords.z).subtract(this._level.origin)._round();
    },
    _addTile(coords, container) {
      L.TileLayer.prototype._addTile.call(this, coords, container);
      const tile = this._tiles[this._tileCoordsToKey(coords)].el, at = this._getTilePos(coords);
      const next = (x, y) => { const beside = coords.add([x, y]); beside.z = coords.z; return this._getTilePos(beside); };
      tile.style.width = next(1, 0).x - at.x + "px"; tile.style.height = next(0, 1).y - at.y + "px";
    },
    _getTiledPixelBounds(centre) {
      const bounds = L.TileLayer.prototype._getTiledPixelBounds.call(this, centre), zoom = this._tileZoom;
      const [lon, lat] = window.RoadChiefDatum.toGcj(centre.lng, centre.lat);
      const off = this._map.project([lat, lon], zoom).subtract(this._map.project(centre, zoom));
      return L.bounds(bounds.min.add(off).subtract([2, 2]), bounds.max.add(off).add([2, 2]));
    },
  });

  function layers(one) {
    const Kind = one.datum === "gcj02" ? Moved : L.TileLayer;
    return one.urls.map((url, n) => new Kind(url, {
      subdomains: one.subdomains || "abc", maxNativeZoom: one.most_zoom, maxZoom: 20, noWrap: true, zIndex: 0,
      attribution: n ? "" : one.attribution, referrerPolicy: "origin", // keys for browsers are bound to our host
    }));
  }

  /* `own` stays on the map; what it is credited with comes and goes. */
  function offer(map, own, given) {
    own.setZIndex(0); // the others come above it, below our data; it shows where one of their tiles is missing
    const words = given.words, box = L.DomUtil.create("div", "ground leaflet-bar"), choice = L.DomUtil.create("select", "", box);
    const said = L.DomUtil.create("p", "groundsays", map.getContainer());
    said.setAttribute("role", "status");
    choice.setAttribute("aria-label", words.background);
    for (const [name, label] of [["own", words.own], ...given.backgrounds.map((one) => [one.name, one.label])]) choice.append(new Option(label, name));
    L.DomEvent.disableClickPropagation(box); L.DomEvent.disableScrollPropagation(box);
    const Choice = L.Control.extend({ onAdd: () => box });
    new Choice({ position: "bottomright" }).addTo(map);

    let shown = [], timer = 0, credited = false;
    function clear() { clearTimeout(timer); for (const layer of shown) { layer.off("tileload tileerror"); layer.remove(); } shown = []; }
    function show(name) {
      clear();
      const one = given.backgrounds.find((each) => each.name === name);
      choice.value = one ? name : "own";
      map.getContainer().dataset.ground = choice.value;
      map.fire("ground");
      if (credited !== !one) map.attributionControl[one ? "removeAttribution" : "addAttribution"](given.attribution);
      credited = !one;
      if (!one) return;
      shown = layers(one);
      watch(one, shown[0]);
      for (const layer of shown) layer.addTo(map);
    }
    function watch(one, layer) {
      let loaded = 0, faults = 0;
      // Later: Leaflet is not done with a tile while it tells of it.
      const lost = () => setTimeout(() => { if (shown[0] === layer) { show("own"); said.textContent = words.lost.replace("{name}", one.label); } });
      timer = setTimeout(() => { if (!loaded) lost(); }, PATIENCE_MS);
      layer.on("tileload", () => { loaded += 1; faults = 0; });
      layer.on("tileerror", () => { faults += 1; if (faults >= (loaded ? LATER_FAULTS : FIRST_FAULTS)) lost(); });
    }
    choice.addEventListener("change", () => {
      said.textContent = "";
      try { localStorage.setItem(KEPT, choice.value); } catch { /* only not remembered */ }
      show(choice.value);
    });
    let kept = "own";
    try { kept = localStorage.getItem(KEPT) || "own"; } catch { /* ours */ }
    show(kept);
  }
  return { offer };
})();
