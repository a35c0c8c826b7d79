/* The chief's morning map: own segments by when they were last seen; colour, dash and sign together.
   The list beside it says the same; without script or network the link beneath it stays. */
(() => {
  const box = document.querySelector("[data-chiefmap]");
  if (!box || !window.L) return;
  const ink = (state) => getComputedStyle(document.documentElement).getPropertyValue("--" + state).trim() || "#5B6770";
  const DASH = { due: "12 7", none: "2 7" }, WIDTH = { late: 7, due: 6, ok: 5, none: 4 };
  const swap = (list) => (typeof list[0] === "number" ? [list[1], list[0]] : list.map(swap));
  fetch(box.dataset.chiefmap, { headers: { Accept: "application/json" } }).then((answer) => {
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }).then((told) => {
    const features = told.shapes.features;
    if (!features.length) { box.remove(); return; }
    const lines = features.map((one) => [one.properties, swap(one.geometry.coordinates)]);
    const bounds = L.latLngBounds(lines.flatMap(([, line]) => line.flat(Array.isArray(line[0][0]) ? 1 : 0)));
    box.textContent = "";
    const map = window.casesMap(box, { subdistrict: box.dataset.subdistrict, center: bounds.getCenter(), zoom: 15 });
    window.RoadChiefPaper(map);
    map.fitBounds(bounds.pad(0.05), { maxZoom: 17, animate: false });
    const stroke = L.canvas({ tolerance: 14 });
    for (const [facts, line] of lines) {
      const go = () => { location.href = box.dataset.open + "?segment=" + encodeURIComponent(facts.key); };
      const drawn = L.polyline(line, { color: ink(facts.state), weight: WIDTH[facts.state] || 4, dashArray: DASH[facts.state], renderer: stroke }).on("click", go).addTo(map);
      if (facts.state !== "late" && facts.state !== "due") continue;
      const face = document.createElement("span");
      face.textContent = facts.sign + (facts.number || "");
      face.className = facts.state;
      const name = [facts.title, ...facts.lines].join("，");
      const marker = L.marker(drawn.getCenter(), { icon: L.divIcon({ html: face, className: "chiefsign", iconSize: [44, 44] }), title: name, keyboard: true }).on("click", go);
      marker.on("add", () => { const e = marker.getElement(); e.setAttribute("role", "button"); e.setAttribute("aria-label", name); });
      marker.on("keypress", (event) => { if (event.originalEvent.key === "Enter") go(); });
      marker.addTo(map);
    }
  }).catch(() => { box.textContent = box.dataset.trouble; });
})();
