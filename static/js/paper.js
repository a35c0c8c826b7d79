/* A map on paper is what stood on the screen: scaled as it is, because new squares would come too late
   for the printer. Screen and map are as before afterwards. */
"use strict";
window.RoadChiefPaper = (map) => {
  const WIDTH = 680, HEIGHT = 560; // pixels that fit on A4 between its margins, upright, above a list
  const canvas = map.getContainer(), box = canvas.parentElement;
  const kept = [];
  const set = (element, values) => { kept.push([element, element.style.cssText]); for (const [name, value] of Object.entries(values)) element.style.setProperty(name, value, "important"); };
  addEventListener("beforeprint", () => {
    if (kept.length) return;
    const { x: width, y: height } = map.getSize(), scale = Math.min(WIDTH / width, HEIGHT / height);
    const framed = box.matches(".mapbox, .sheetmap"); // else it stands in the text, which closes up behind it
    set(canvas, { width: width + "px", height: height + "px", transform: `scale(${scale})`, "transform-origin": "0 0", ...(framed ? {} : { "margin-bottom": height * (scale - 1) + "px" }) });
    if (framed) set(box, { width: width * scale + "px", height: height * scale + "px", "min-height": 0 });
    document.querySelector(".legend")?.setAttribute("open", "");
  });
  addEventListener("afterprint", () => { for (const [element, before] of kept.splice(0).reverse()) element.style.cssText = before; });
};
