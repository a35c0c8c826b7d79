/* Map pages with one question each: draws a sheet's shapes, ties them to the list, moves in time.
   Works in an exported file without network too: then the shapes stand in the page itself.
   Nothing of what the server sends becomes HTML: texts go in by textContent. */
"use strict";
window.RoadChiefSheets = (() => {
  const make = (tag, text, cls) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; if (cls) e.className = cls; return e; };
  const ink = (state) => getComputedStyle(document.documentElement).getPropertyValue("--" + ({ black: "ink", walk: "blue", beat: "none" }[state] || state)).trim() || "#5B6770";
  const DASHES = { due: "12 7", none: "2 7", beat: "10 8" };
  const WIDTHS = { late: 7, black: 7, due: 6, ok: 5, none: 4, walk: 4, beat: 3 };
  const MOST_SIGNS = 400;

  function content(facts, words) {
    const box = make("div", undefined, "pop");
    box.append(make("h3", facts.title));
    for (const text of facts.lines || []) if (text) box.append(make("p", text, "sub"));
    if (facts.mark) box.append(make("p", facts.mark.sign + " " + facts.mark.word, "mark is-" + facts.mark.state));
    if (facts.phone) { const p = make("p"), a = make("a", facts.phone); a.href = "tel:" + facts.phone; p.append(a); box.append(p); }
    if (facts.rows && facts.rows.length) {
      const list = make("ul");
      for (const row of facts.rows) {
        const item = make("li");
        item.append(make("span", row.sign + " ", "is-" + row.state), make("b", row.title + " "), make("span", row.value, "is-" + row.state));
        list.append(item);
      }
      box.append(list);
    }
    if (facts.address) { const a = make("a", words.open); a.href = facts.address; a.setAttribute("role", "button"); a.className = "soft"; box.append(a); }
    return box;
  }

  function attach(map, given) {
    const alone = document.getElementById("sheet-data");
    if (alone) offline(map, given, JSON.parse(alone.textContent));
    else window.RoadChiefMap.attach(map, given);
    if (alone) map.on("popupopen popupclose", (event) => map.getContainer().classList.toggle("talking", event.type === "popupopen"));
    const stroke = L.canvas({ tolerance: 14, padding: 0.3 }), group = L.layerGroup().addTo(map), parts = new Map();

    async function open(facts, at) {
      const bubble = L.popup({ minWidth: 220, maxWidth: 300, maxHeight: Math.min(320, Math.max(160, map.getSize().y - 70)), autoPanPaddingTopLeft: [24, 24], autoPanPaddingBottomRight: [24, 24] }).setLatLng(at).openOn(map);
      if (!facts.more) { bubble.setContent(content(facts, given.words)); return; }
      bubble.setContent(make("p", given.words.loading, "sub"));
      try {
        const answer = await fetch(facts.more, { headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(answer.status);
        bubble.setContent(content(await answer.json(), given.words));
      } catch { bubble.setContent(content({ title: facts.title, lines: facts.lines.concat(given.words.trouble) }, given.words)); }
    }
    // Many visits lie side by side: their numbers are read from near alone.
    const near = () => map.getContainer().classList.toggle("far", ["patrol", "segment"].includes(given.sheet) && map.getZoom() < 18);
    map.on("zoomend", near); near();
    function sign(facts, at) {
      const face = make("span");
      face.append(make("i", facts.sign), ...(facts.number ? [make("b", String(facts.number))] : []));
      const icon = L.divIcon({ className: "dropsign is-" + facts.state, html: face, iconSize: [44, 44] });
      const name = [facts.title, ...(facts.lines || [])].join("，");
      const marker = L.marker(at, { icon, alt: name, title: name, keyboard: true, zIndexOffset: facts.state === "late" || facts.state === "black" ? 500 : 0 });
      marker.on("click", () => open(facts, at));
      marker.on("keydown", ({ originalEvent: key }) => { if (key.key === "Enter" || key.key === " ") { key.preventDefault(); open(facts, at); } });
      // A div has no alternative text of its own.
      marker.on("add", () => { const e = marker.getElement(); e.setAttribute("role", "button"); e.setAttribute("aria-label", name); });
      return marker;
    }
    // Half of the way along, so that signs of crossing streets do not meet at the crossing.
    function halfway(line) {
      const parts = Array.isArray(line[0][0]) ? line : [line], steps = [];
      for (const part of parts) for (let i = 1; i < part.length; i += 1) steps.push([part[i - 1], part[i], Math.hypot(part[i][0] - part[i - 1][0], (part[i][1] - part[i - 1][1]) * Math.cos((part[i][0] * Math.PI) / 180))]);
      let left = steps.reduce((sum, step) => sum + step[2], 0) / 2;
      for (const [from, to, length] of steps) {
        if (left <= length && length) return [from[0] + ((to[0] - from[0]) * left) / length, from[1] + ((to[1] - from[1]) * left) / length];
        left -= length;
      }
      return parts[0][0];
    }
    function draw(features) {
      group.clearLayers(); parts.clear();
      let signs = 0;
      for (const one of features) {
        const facts = one.properties, colour = ink(facts.state);
        if (one.geometry.type === "Point") {
          const at = L.latLng(one.geometry.coordinates[1], one.geometry.coordinates[0]);
          if (facts.radius_m) L.circle(at, { radius: facts.radius_m, color: colour, weight: 3, fillOpacity: 0.15, renderer: stroke }).on("click", () => open(facts, at)).addTo(group);
          // Beyond what fingers and readers can use, a shape on the canvas; still touched, still in the list.
          if (signs++ < MOST_SIGNS) sign(facts, at).addTo(group);
          else L.circleMarker(at, { radius: 6, color: colour, fillOpacity: facts.state === "none" ? 0 : 0.9, renderer: stroke }).on("click", () => open(facts, at)).addTo(group);
          parts.set(facts.key, { facts, at });
        } else {
          const swap = (list) => typeof list[0] === "number" ? [list[1], list[0]] : list.map(swap);
          const line = swap(one.geometry.coordinates), middle = L.latLng(halfway(line));
          L.polyline(line, { color: colour, weight: WIDTHS[facts.state] || 4, opacity: 0.95, dashArray: DASHES[facts.state], renderer: stroke })
            .on("click", (event) => open(facts, event.latlng)).addTo(group);
          if ((facts.mark || facts.state === "late" || facts.state === "due") && signs++ < MOST_SIGNS) sign(facts, middle).addTo(group);
          parts.set(facts.key, { facts, at: middle });
        }
      }
    }
    function tie() {
      for (const row of document.querySelectorAll("[data-row]")) {
        if (!parts.has(row.dataset.row) || row.querySelector(".show")) continue;
        const button = make("button", "◎", "soft show"), name = row.querySelector("b").textContent;
        button.type = "button"; button.title = given.words.show; button.setAttribute("aria-label", given.words.show + "：" + name);
        button.addEventListener("click", () => {
          const { facts, at } = parts.get(row.dataset.row);
          map.setView(at, Math.max(map.getZoom(), 17), { animate: false }); open(facts, at);
          map.getContainer().scrollIntoView({ block: "nearest" });
        });
        row.append(button);
      }
    }
    // An address that ends in #key opens with that one shown.
    function point() {
      const found = parts.get(location.hash.slice(1));
      if (!found) return;
      map.setView(found.at, Math.max(map.getZoom(), 17), { animate: false }); open(found.facts, found.at);
    }
    function list(rows, empty) {
      const place = document.querySelector("[data-rows]");
      place.replaceChildren(...rows.map((row) => {
        const item = make("li"), mark = make("span", row.sign, "mark is-" + row.state), words = make("span", undefined, "grow"), title = make("b", row.title);
        item.dataset.row = row.key; mark.setAttribute("aria-hidden", "true");
        if (row.address) { const a = make("a", undefined, "line"); a.href = row.address; a.append(title); words.append(a); } else words.append(title);
        words.append(make("br"), make("span", row.sub, "sub"));
        item.append(mark, words);
        if (row.value) item.append(make("b", row.value, "value is-" + row.state));
        return item;
      }));
      if (!rows.length) place.append(make("li", empty, "empty"));
    }
    const said = document.querySelector("[data-loading]");
    let last = 0;
    async function load(address, anew) {
      const mine = ++last;
      if (said) said.textContent = given.words.loading;
      try {
        const answer = await fetch(address, { headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(answer.status);
        const told = await answer.json();
        if (mine !== last) return;
        draw(told.shapes.features);
        if (anew) { list(told.rows, told.empty); document.querySelector("[data-says]").textContent = told.says; document.querySelector(".maplist .pager")?.remove(); }
        tie();
        if (mine === 1) point();
        if (said) said.textContent = "";
        map.getContainer().dataset.drawn = String(mine);
      } catch { if (mine === last && said) said.textContent = given.words.trouble; }
    }
    if (alone) { draw(JSON.parse(alone.textContent).shapes.features); tie(); map.getContainer().dataset.drawn = "1"; }
    else load(given.data, false);
    slide(load);
    if (alone) window.RoadChiefPaper(map);
  }

  /* The slider of days: a fetch once the finger rests, the date field says the same. */
  function slide(load) {
    const form = document.querySelector("[data-slider]");
    if (!form) return;
    const range = form.querySelector("[type=range]"), day = form.elements.day, shown = form.querySelector("output");
    const first = Date.parse(day.min);
    const marks = document.querySelectorAll(".days rect");
    range.parentElement.hidden = false;
    let timer;
    const go = () => { clearTimeout(timer); timer = setTimeout(() => load(form.dataset.slider + "?day=" + day.value, true), 150); };
    const say = () => { shown.textContent = day.value; range.setAttribute("aria-valuetext", day.value); marks.forEach((mark, n) => mark.setAttribute("class", n === Number(range.value) ? "chosen" : "open")); };
    say();
    range.addEventListener("input", () => { day.value = new Date(first + range.value * 864e5).toISOString().slice(0, 10); say(); go(); });
  }

  function offline(map, given, data) {
    map.attributionControl.setPrefix(false);
    if (given.attribution) map.attributionControl.addAttribution(given.attribution);
    map.getContainer().setAttribute("aria-label", given.words.map);
    const swap = (list) => typeof list[0] === "number" ? [list[1], list[0]] : list.map(swap);
    for (const one of data.ground || []) L.polyline(swap(one.geometry.coordinates), { color: "#AEB8BE", weight: 9, opacity: 0.6, interactive: false }).addTo(map);
    for (const { name, lat, lon } of data.names || []) L.tooltip({ permanent: true, direction: "bottom", offset: [0, 8], pane: "shadowPane", className: "roadname", opacity: 1 }).setLatLng([lat, lon]).setContent(document.createTextNode(name)).addTo(map);
    L.control.zoom({ position: "bottomright", zoomInTitle: given.words.closer, zoomOutTitle: given.words.farther }).addTo(map);
    L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
    if (matchMedia("(max-width: 800px)").matches) document.querySelector(".legend")?.removeAttribute("open");
  }
  return { attach };
})();
