/* Draws our vector tiles on a Leaflet map made by Folium, answers touches, and searches.
   Nothing of what the server sends becomes HTML: texts go in by textContent. */
"use strict";
window.RoadChiefMap = (() => {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const LIGHT = { paper: "#EEF1F0", road: "#FFFFFF", edge: "#CFD6DA", building: "#E1E5E7", roof: "#D3D9DC", green: "#D8E8DA", water: "#CFE1EC", label: "#44525C", halo: "#FFFFFF",
    covered: "#0B7A53", acting: "#985200", gap: "#B3261E", none: "#5B6770", shop: "#0B5CAD", card: "#FFFFFF", permit: "#8A6000" };
  const DARK = { paper: "#1A2227", road: "#35424A", edge: "#12191E", building: "#253037", roof: "#303C44", green: "#20352A", water: "#1C3242", label: "#C4CED4", halo: "#12191E",
    covered: "#56C79A", acting: "#E8A24F", gap: "#F08A83", none: "#A3AFB7", shop: "#7DB7F0", card: "#1B252B", permit: "#E0B450" };
  const C = dark ? DARK : LIGHT;
  const FONT = '"PingFang SC","HarmonyOS Sans SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif';
  const P = window.protomapsL, larger = Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--larger")) || 0; // large type

  const metresToPixels = (m, z) => (m * 2 ** z * 256) / (40075016.7 * Math.cos((31.2 * Math.PI) / 180));
  const roadWidth = (z, f) => Math.max(f ? metresToPixels(2 * f.props.kerb_m, z) : 3, z >= 14 ? 3 : 1.5);

  /* Shape + colour: ● covered or shop, ○ empty. A point is its own mark. */
  class Dot {
    constructor(colour, size) { this.colour = colour; this.size = size; }
    draw(ctx, geom, z, feature) {
      const r = z >= 17 ? this.size : Math.max(2.2, this.size - (17 - z) * 1.2);
      ctx.beginPath();
      ctx.arc(geom[0][0].x, geom[0][0].y, r, 0, 7);
      ctx.lineWidth = 2;
      if (feature.props.empty) { ctx.fillStyle = C.card; ctx.fill(); ctx.strokeStyle = C.none; ctx.stroke(); }
      else { ctx.fillStyle = this.colour; ctx.fill(); ctx.strokeStyle = C.card; ctx.stroke(); }
    }
  }
  class Count {
    draw(ctx, geom, z, feature) {
      const n = feature.props.count, r = 9 + larger + Math.min(10, Math.log2(n + 1));
      ctx.beginPath(); ctx.arc(geom[0][0].x, geom[0][0].y, r, 0, 7);
      ctx.fillStyle = C.shop; ctx.globalAlpha = 0.9; ctx.fill(); ctx.globalAlpha = 1;
      ctx.fillStyle = C.card; ctx.font = `600 ${12 + larger}px ${FONT}`; ctx.textAlign = "center"; ctx.textBaseline = "middle";
      ctx.fillText(String(n), geom[0][0].x, geom[0][0].y);
      ctx.textAlign = "start"; ctx.textBaseline = "alphabetic";
    }
  }
  class Station {
    draw(ctx, geom) {
      const { x, y } = geom[0][0];
      ctx.fillStyle = C.permit; ctx.strokeStyle = C.card; ctx.lineWidth = 2;
      ctx.beginPath(); ctx.moveTo(x, y - 9); ctx.lineTo(x + 9, y - 2); ctx.lineTo(x + 9, y + 8); ctx.lineTo(x - 9, y + 8); ctx.lineTo(x - 9, y - 2); ctx.closePath();
      ctx.fill(); ctx.stroke();
    }
  }

  /* Draws nothing; where it lies no name of a road is written. */
  class Occupied {
    constructor(reach) { this.reach = reach; }
    place(layout, geom) {
      const { x, y } = geom[0][0], r = this.reach;
      return [{ anchor: geom[0][0], bboxes: [{ minX: x - r, minY: y - r, maxX: x + r, maxY: y + r }], draw: () => {} }];
    }
  }

  const backgroundRules = [
    { dataLayer: "buildings", symbolizer: new P.PolygonSymbolizer({ fill: C.green }), filter: (z, f) => f.props.kind === "green" },
    { dataLayer: "buildings", symbolizer: new P.PolygonSymbolizer({ fill: C.water }), filter: (z, f) => f.props.kind === "water" },
    { dataLayer: "buildings", symbolizer: new P.PolygonSymbolizer({ fill: C.building, stroke: C.roof, width: 1 }), filter: (z, f) => f.props.kind === "building" },
    { dataLayer: "roads", symbolizer: new P.LineSymbolizer({ color: C.edge, width: (z, f) => roadWidth(z, f) + 2 }) },
    { dataLayer: "roads", symbolizer: new P.LineSymbolizer({ color: C.road, width: roadWidth }) },
  ];
  const labels = (language) => [
    { dataLayer: "roads", minzoom: 13, symbolizer: new P.LineLabelSymbolizer({ labelProps: language === "en" ? ["name_en", "name"] : ["name"], fill: C.label, stroke: C.halo, width: 3, font: `600 ${13 + larger}px ${FONT}`, repeatDistance: 260 }) },
  ];
  /* A stand-in's segment is dashed: seen without colour too. */
  class Dashes {
    draw(ctx, geom, z) {
      ctx.save();
      ctx.strokeStyle = C.acting; ctx.lineWidth = z >= 16 ? 6 : z >= 13 ? 4 : 2.5; ctx.setLineDash([10, 6]);
      ctx.beginPath();
      for (const part of geom) part.forEach((at, i) => (i ? ctx.lineTo(at.x, at.y) : ctx.moveTo(at.x, at.y)));
      ctx.stroke();
      ctx.restore();
    }
  }
  const line = (state, symbolizer) => ({ dataLayer: "segments", filter: (z, f) => f.props.state === state,
    symbolizer: symbolizer || new P.LineSymbolizer({ color: C[state], width: (z) => (z >= 16 ? 6 : z >= 13 ? 4 : 2.5) }) });
  /* A closed segment is dotted and thin, under whatever took its place. */
  class Dots {
    draw(ctx, geom) {
      ctx.save();
      ctx.strokeStyle = C.none; ctx.lineWidth = 3; ctx.setLineDash([2, 5]);
      ctx.beginPath();
      for (const part of geom) part.forEach((at, i) => (i ? ctx.lineTo(at.x, at.y) : ctx.moveTo(at.x, at.y)));
      ctx.stroke();
      ctx.restore();
    }
  }
  const streetRules = [
    { dataLayer: "permits", symbolizer: new P.PolygonSymbolizer({ fill: C.permit, opacity: 0.35, stroke: C.permit, width: 1.5 }) },
    line("closed", new Dots()), line("covered"), line("acting", new Dashes()), line("gap"),
    { dataLayer: "fronts", minzoom: 17, symbolizer: new P.LineSymbolizer({ color: C.shop, width: 3 }) },
    { dataLayer: "storefronts", symbolizer: new Dot(C.shop, 6) },
    { dataLayer: "stations", minzoom: 14, symbolizer: new Station() },
    { dataLayer: "clusters", symbolizer: new Count() },
  ];
  /* When each shop was last seen, as colour and shape; `seen` says how many days are too many. */
  class Visit {
    constructor(seen) { this.seen = seen; }
    draw(ctx, geom, z, feature) {
      const { x, y } = geom[0][0], r = z >= 17 ? 7.5 : 5, days = feature.props.days;
      const state = days === undefined ? "none" : days >= this.seen.every ? "gap" : days >= this.seen.every - this.seen.soon ? "acting" : "covered";
      ctx.beginPath();
      if (state === "gap") { ctx.moveTo(x, y - r * 1.15); ctx.lineTo(x + r * 1.1, y + r * 0.85); ctx.lineTo(x - r * 1.1, y + r * 0.85); ctx.closePath(); }
      else if (state === "acting") { ctx.moveTo(x, y - r * 1.15); ctx.lineTo(x + r * 1.15, y); ctx.lineTo(x, y + r * 1.15); ctx.lineTo(x - r * 1.15, y); ctx.closePath(); }
      else ctx.arc(x, y, state === "none" ? r - 1 : r, 0, 7);
      ctx.lineWidth = 2;
      ctx.fillStyle = state === "none" ? C.card : C[state]; ctx.fill();
      ctx.strokeStyle = state === "none" ? C.none : C.card; ctx.stroke();
    }
  }
  class Zones {
    draw(ctx, geom) {
      ctx.save();
      ctx.strokeStyle = C.none; ctx.lineWidth = 1.5; ctx.setLineDash([5, 4]);
      ctx.beginPath();
      for (const ring of geom) { ring.forEach((at, i) => (i ? ctx.lineTo(at.x, at.y) : ctx.moveTo(at.x, at.y))); ctx.closePath(); }
      ctx.stroke();
      ctx.restore();
    }
  }
  const occupied = [
    { dataLayer: "clusters", symbolizer: new Occupied(13) },
    { dataLayer: "stations", minzoom: 14, symbolizer: new Occupied(11) },
  ];
  const streetLabels = [
    { dataLayer: "storefronts", minzoom: 18, symbolizer: new P.CenteredTextSymbolizer({ labelProps: ["name"], fill: C.label, stroke: C.halo, width: 3, font: `500 ${12 + larger}px ${FONT}`, lineHeight: 1.2 }) },
  ];

  const make = (tag, text, cls) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; if (cls) e.className = cls; return e; };

  function popup(facts, words) {
    const box = make("div", undefined, "pop");
    box.append(make("h3", facts.title || words.empty));
    for (const text of facts.lines) box.append(make("p", text, "sub"));
    for (const one of facts.marks || (facts.mark ? [facts.mark] : [])) box.append(make("p", one.sign + " " + one.word, "mark " + one.state));
    if (facts.phone) { const p = make("p"), a = make("a", facts.phone); a.href = "tel:" + facts.phone; p.append(a); box.append(p); }
    for (const row of facts.chiefs) {
      const p = make("p");
      p.append(make("b", row.name), document.createTextNode(" " + row.title));
      if (row.phone) { const a = make("a", row.phone); a.href = "tel:" + row.phone; p.append(document.createTextNode(" "), a); }
      box.append(p);
    }
    if (facts.gap) box.append(make("p", "▲ " + words.gap, "mark late"));
    if (facts.sheet) { const a = make("a", words.sheet); a.href = facts.sheet; a.setAttribute("role", "button"); a.className = "soft"; box.append(a); }
    return box;
  }

  function attach(map, given) {
    window.roadchiefMap = map;
    window.RoadChiefPaper(map);
    map.on("popupopen popupclose", (event) => map.getContainer().classList.toggle("talking", event.type === "popupopen"));
    // Leaflet hears it only while the map itself has the keyboard.
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") map.closePopup(); });
    // Who read in a bubble that closes goes on at the map.
    map.on("popupclose", ({ popup }) => {
      const at = document.activeElement;
      if (at === document.body || popup.getElement()?.contains(at)) map.getContainer().focus({ preventScroll: true });
    });
    map.attributionControl.setPrefix(false);
    map.getContainer().setAttribute("aria-label", given.words.map);
    const tiles = (layer) => location.origin + "/tiles/" + layer + "/{z}/{x}/{y}.mvt?s=" + given.subdistrict;
    const options = { maxDataZoom: 18, backgroundColor: "transparent", noWrap: true, attribution: given.attribution };
    const own = P.leafletLayer({ ...options, url: tiles("background"), paintRules: backgroundRules, labelRules: given.sheet ? labels(given.language) : [], backgroundColor: C.paper, attribution: "" }).addTo(map);
    if (!given.backgrounds?.length) map.attributionControl.addAttribution(given.attribution);
    L.control.zoom({ position: "bottomright", zoomInTitle: given.words.closer, zoomOutTitle: given.words.farther }).addTo(map);

    L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
    if (given.backgrounds?.length) window.RoadChiefBackgrounds.offer(map, own, given);
    if (matchMedia("(max-width: 800px)").matches) document.querySelector(".legend")?.removeAttribute("open");
    const work = (layer, rule) => P.leafletLayer({ ...options, url: tiles(layer), paintRules: [rule], labelRules: [], attribution: "" }).addTo(map);
    if (given.sheet && given.seen) work("check_ins", { dataLayer: "check_ins", symbolizer: new Visit(given.seen) });
    if (given.sheet) return; // sheets.js draws the rest
    if (given.duty?.includes("duty_zones")) work("duty_zones", { dataLayer: "duty_zones", symbolizer: new Zones() });
    // Names of roads are of our background, but stand above the coloured segments. Others have their own.
    const onOwnGround = () => (map.getContainer().dataset.ground ?? "own") === "own";
    const names = labels(given.language).map((rule) => ({ ...rule, dataSource: "ground", visible: onOwnGround() }));
    const sources = { "": { url: tiles("streets"), maxDataZoom: 18 }, ground: { url: tiles("background"), maxDataZoom: 18 } };
    const streets = P.leafletLayer({ ...options, sources, paintRules: streetRules, labelRules: [...occupied, ...names, ...streetLabels], attribution: "" }).addTo(map);
    if (given.seen) work("check_ins", { dataLayer: "check_ins", symbolizer: new Visit(given.seen) });
    map.on("ground", () => { for (const rule of names) rule.visible = onOwnGround(); streets.clearLayout(); streets.rerenderTiles(); });

    async function open(kind, id, at, chosen = false) {
      const bubble = L.popup({ minWidth: 220, maxWidth: 300, maxHeight: Math.max(160, map.getSize().y - 130), autoPanPaddingTopLeft: [24, document.querySelector("[data-search]") ? 96 : 16], autoPanPaddingBottomRight: [24, 24] }).setLatLng(at).setContent(make("p", given.words.loading, "sub")).openOn(map);
      try {
        const answer = await fetch("/map/" + kind + "/" + id + ".json?s=" + given.subdistrict, { headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(answer.status);
        bubble.setContent(popup(await answer.json(), given.words));
      } catch { bubble.setContent(make("p", given.words.trouble, "late")); }
      const box = bubble.getElement();
      if (!chosen || !box) return;
      box.tabIndex = -1; // from a list, perhaps by the keyboard: what was chosen is read next
      box.focus({ preventScroll: true });
    }
    map.on("click", (event) => {
      const reach = map.getZoom() >= 16 ? 22 : 12;
      const found = [...streets.queryTileFeaturesDebug(event.latlng.lng, event.latlng.lat, reach).values()].flat();
      const pick = (layer) => found.find((hit) => hit.layerName === layer);
      const shop = pick("storefronts"), segment = pick("segments"), station = pick("stations"), permit = pick("permits");
      if (pick("clusters") || (shop && !shop.feature.props.id)) map.setView(event.latlng, map.getZoom() + 2);
      else if (station) open("stations", station.feature.props.id, event.latlng);
      else if (shop) open("storefronts", shop.feature.props.id, event.latlng);
      else if (permit) open("permits", permit.feature.props.id, event.latlng);
      else if (segment) open("segments", segment.feature.props.id, event.latlng);
    });
    if (given.open) open(given.open.kind, given.open.id, L.latLng(given.open.lat, given.open.lon));

    const form = document.querySelector("[data-search]"), list = document.querySelector("[data-hits]");
    if (!form) return;
    let last = 0, timer;
    // What was asked before is not shown any more: an answer that comes late must not cover the map.
    const close = () => { last += 1; clearTimeout(timer); list.replaceChildren(); };
    const search = async () => {
      const asked = form.q.value.trim(), mine = ++last;
      if (!asked) { close(); return; }
      const answer = await fetch("/map/search?q=" + encodeURIComponent(asked) + "&s=" + given.subdistrict, { headers: { Accept: "application/json" } }).catch(() => null);
      const hits = answer && answer.ok ? (await answer.json()).hits : [];
      if (mine !== last) return;
      list.replaceChildren(...hits.map((hit) => {
        const row = make("li"), button = make("button", undefined, "hit");
        button.type = "button";
        button.append(make("b", hit.title || given.words.empty), make("span", hit.place, "sub"));
        button.addEventListener("click", () => {
          close(); form.q.blur(); map.setView([hit.lat, hit.lon], 18, { animate: false });
          open(hit.kind === "segment" ? "segments" : "storefronts", hit.id, L.latLng(hit.lat, hit.lon), true);
        });
        row.append(button); return row;
      }));
      // Shops are found from two characters on; what could not be asked is not said to be absent.
      const why = !answer || !answer.ok ? "trouble" : [...asked].length < 2 ? "short" : "nothing";
      if (!hits.length) list.replaceChildren(make("li", given.words[why] || given.words.nothing, "sub"));
    };
    form.q.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 250); });
    form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      if (list.contains(document.activeElement)) form.q.focus();
      close();
    });
  }
  return { attach };
})();
