/* A plain street map for cases: our own tiles, pins by light (colour and shape). */
window.casesMap = (box, given) => {
  const map = L.map(box, { zoomControl: true, attributionControl: false, preferCanvas: true, minZoom: 11, maxZoom: 20 }).setView(given.center, given.zoom || 16);
  const P = window.protomapsL, larger = Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--larger")) || 0; // large type
  if (P) {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const road = dark ? "#3a4851" : "#ffffff", edge = dark ? "#222c32" : "#cfd6da", label = dark ? "#dfe6ea" : "#3b4a54", halo = dark ? "#12191e" : "#ffffff";
    const wide = (z) => (z >= 17 ? 10 : z >= 15 ? 6 : 2.5);
    const tiles = (layer) => location.origin + "/tiles/" + layer + "/{z}/{x}/{y}.mvt?s=" + given.subdistrict;
    const rules = [
      { dataLayer: "buildings", symbolizer: new P.PolygonSymbolizer({ fill: dark ? "#1d2a25" : "#dfeadf" }), filter: (z, f) => f.props.kind === "green" },
      { dataLayer: "buildings", symbolizer: new P.PolygonSymbolizer({ fill: dark ? "#17283a" : "#cfe2f1" }), filter: (z, f) => f.props.kind === "water" },
      { dataLayer: "buildings", symbolizer: new P.PolygonSymbolizer({ fill: dark ? "#263138" : "#e6e9ea" }), filter: (z, f) => f.props.kind === "building" },
      { dataLayer: "roads", symbolizer: new P.LineSymbolizer({ color: edge, width: (z) => wide(z) + 2 }) },
      { dataLayer: "roads", symbolizer: new P.LineSymbolizer({ color: road, width: wide }) },
    ];
    const labels = [{ dataLayer: "roads", minzoom: 13, symbolizer: new P.LineLabelSymbolizer({ labelProps: document.documentElement.lang.startsWith("en") ? ["name_en", "name"] : ["name"], fill: label, stroke: halo, width: 3, font: `600 ${13 + larger}px sans-serif`, repeatDistance: 260 }) }];
    P.leafletLayer({ url: tiles("background"), paintRules: rules, labelRules: labels, maxDataZoom: 18, backgroundColor: dark ? "#12191e" : "#f3f5f4", noWrap: true }).addTo(map);
  }
  return map;
};
