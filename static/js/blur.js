/* Marks parts of a photo with mouse, finger or keys. The number fields are the truth: they are what
   is sent, and they do the work alone where there is no script. */
"use strict";
for (const tool of document.querySelectorAll("[data-blur]")) {
  const stage = tool.querySelector("[data-stage]");
  const rows = tool.querySelector("[data-rows]");
  const said = tool.querySelector("[data-said]");
  const add = tool.querySelector("[data-add]");
  const drop = tool.querySelector("[data-drop]"); // removes the part that was touched last
  const blank = rows.firstElementChild.cloneNode(true);
  const names = ["left", "top", "width", "height"];
  const smallest = 1; // percent
  const boxes = new Map(); // row → button over the photo
  let chosen = null;

  const choose = (row) => {
    chosen = row;
    for (const [one, box] of boxes) box.classList.toggle("chosen", one === row);
    drop.classList.toggle("hidden", !boxes.has(row));
  };

  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const field = (row, name) => row.querySelector(`[name="${name}"]`);
  const read = (row) => names.map((name) => Number(field(row, name).value) || 0);

  const write = (row, [left, top, width, height]) => {
    const w = clamp(width, smallest, 100), h = clamp(height, smallest, 100);
    const values = [clamp(left, 0, 100 - w), clamp(top, 0, 100 - h), w, h];
    names.forEach((name, n) => { field(row, name).value = values[n].toFixed(1); });
    draw(row);
  };

  const draw = (row) => {
    const [left, top, width, height] = read(row);
    let box = boxes.get(row);
    if (!width || !height) { box?.remove(); boxes.delete(row); return; }
    if (!box) { box = make(row); boxes.set(row, box); stage.append(box); }
    box.style.left = `${left}%`; box.style.top = `${top}%`;
    box.style.width = `${Math.min(width, 100 - left)}%`; box.style.height = `${Math.min(height, 100 - top)}%`;
    number();
  };

  const number = () => {
    let n = 0;
    for (const row of rows.children) {
      const box = boxes.get(row);
      if (!box) continue;
      n += 1;
      box.textContent = n;
      box.setAttribute("aria-label", `${tool.dataset.number} ${n}. ${tool.dataset.keys}`);
    }
  };

  const remove = (row) => {
    boxes.get(row)?.remove();
    boxes.delete(row);
    if (rows.children.length > 1) row.remove();
    else names.forEach((name) => { field(row, name).value = ""; });
    number();
    choose(null);
    said.textContent = tool.dataset.removed;
    add.focus();
  };

  const make = (row) => {
    const box = document.createElement("button");
    box.type = "button";
    box.className = "blur-box";
    box.addEventListener("focus", () => choose(row));
    box.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      const [left, top, width, height] = read(row);
      if (event.key === "Delete" || event.key === "Backspace") { event.preventDefault(); remove(row); }
      else if (step) {
        event.preventDefault();
        write(row, event.shiftKey ? [left, top, width + step[0], height + step[1]] : [left + step[0], top + step[1], width, height]);
      }
    });
    return box;
  };

  const free = () => {
    const empty = [...rows.children].find((row) => names.every((name) => !field(row, name).value));
    if (empty) return empty;
    const row = blank.cloneNode(true);
    rows.append(row);
    return row;
  };

  const enter = (values) => {
    const row = free();
    write(row, values);
    choose(row);
    said.textContent = `${tool.dataset.added} ${boxes.size}`;
    return boxes.get(row);
  };

  const at = (event) => {
    const frame = stage.getBoundingClientRect();
    return [clamp(((event.clientX - frame.left) / frame.width) * 100, 0, 100), clamp(((event.clientY - frame.top) / frame.height) * 100, 0, 100)];
  };
  const between = ([ax, ay], [bx, by]) => [Math.min(ax, bx), Math.min(ay, by), Math.abs(ax - bx), Math.abs(ay - by)];

  let drag = null; // {from, row, was} moves a part; {from, shade} draws a new one
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    const row = [...boxes].find(([, box]) => box === event.target)?.[0];
    if (row) { boxes.get(row).focus(); drag = { from: at(event), row, was: read(row) }; }
    else {
      const shade = document.createElement("div");
      shade.className = "blur-box new";
      stage.append(shade);
      drag = { from: at(event), shade };
    }
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const here = at(event);
    if (drag.row) write(drag.row, [drag.was[0] + here[0] - drag.from[0], drag.was[1] + here[1] - drag.from[1], drag.was[2], drag.was[3]]);
    else {
      const values = between(drag.from, here);
      ["left", "top", "width", "height"].forEach((name, n) => { drag.shade.style[name] = `${values[n]}%`; });
    }
  });
  const end = (event, kept) => {
    if (!drag) return;
    const { shade, from } = drag;
    drag = null;
    shade?.remove();
    const values = between(from, at(event));
    // A touch without a drag was not meant as a part.
    if (kept && shade && values[2] >= smallest && values[3] >= smallest) enter(values).focus();
  };
  stage.addEventListener("pointerup", (event) => end(event, true));
  stage.addEventListener("pointercancel", (event) => end(event, false));

  add.addEventListener("click", () => enter([40, 40, 20, 20]).focus());
  drop.addEventListener("click", () => remove(chosen));
  rows.addEventListener("input", (event) => draw(event.target.closest("li")));
  add.classList.remove("hidden");
  tool.querySelector("[data-numbers]").open = false;
}
