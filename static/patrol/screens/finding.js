/* Raise a case outside a checklist: where, what, a photo. */

import { itemsFor, photoRow } from "../checklist.js";
import { day, locate, nearest, record, stopById } from "../day.js";
import { StorageFull } from "../outbox.js";
import { button, el, field, redrawn, tell } from "../page.js";
import { remembered } from "../remember.js";
import { say, t } from "../words.js";

export default async function finding([storefrontId], { go, refresh }) {
  if (!day.shift) return { title: t("报案件"), back: "", nodes: [el("section.card", {}, t("先开始班次。"))] };
  const { name, work, keep, notice } = await remembered("finding", storefrontId || "", { item: null, place: null, note: "", photos: [], hashes: [] }, refresh);
  let fix = day.fix;
  locate({ watchMs: 5000 }).then((found) => { if (found.fix) fix = found.fix; });
  const near = nearest(8).map(({ stop }) => stop), before = work.place?.startsWith("shop:") && stopById(work.place.slice(5));
  const shops = before && !near.includes(before) ? [before, ...near] : near; // we may have walked on since
  const fixed = storefrontId && stopById(storefrontId);
  const option = (value, words) => el("option", { value, selected: value === work.place }, words);
  const place = el("select", { name: "place", required: true, onchange: () => { work.place = place.value; keep(); } },
    ...(fixed ? [fixed] : shops).map((stop) => option(`shop:${stop.storefront_id}`, `${stop.name || t("空置铺位")} · ${stop.address || stop.house_number}`)),
    ...(fixed ? [] : (day.shift.segments || []).map((one) => option(`segment:${one.id}`, t("路段：{name}", { name: one.name })))));
  const items = itemsFor(day.shift.checklist, false);
  let item = items.find((one) => one.code === work.item) || null;
  const told = () => [say(item), say(item.limit)].filter(Boolean).join(" · ");
  const chosen = el("p.sub", {}, item ? told() : t("还没有选"));
  const tiles = el("div.tiles", {}, ...items.map((one) => button(say(one), (event) => {
    item = one;
    Object.assign(work, { item: one.code, place: place.value }); // and where we stood when we began
    keep();
    for (const tile of tiles.children) tile.setAttribute("aria-pressed", "false");
    event.currentTarget.setAttribute("aria-pressed", "true");
    chosen.textContent = told();
  }, { kind: "tile", "aria-pressed": String(one === item) })));
  const note = el("textarea", { rows: "3", maxlength: "500", name: "note", oninput: () => { work.note = note.value; keep(); } }, work.note);
  const photos = el("div", {});
  const drawPhotos = () => redrawn(photos, photoRow(work, work.hashes, (next) => { work.hashes = next; keep(); drawPhotos(); }));
  drawPhotos();
  const save = async (pressed) => {
    if (!item) return tell(t("请选是什么问题"), "bad");
    if (!place.value) return tell(t("请选地点"), "bad");
    if (item.photo === "required" && !work.photos.length) return tell(t("这类问题需要一张照片"), "bad");
    pressed.disabled = true;
    const [kind, id] = place.value.split(":");
    try {
      await record("finding", {
        check_in_id: kind === "shop" ? day.done.get(id)?.id ?? null : null, storefront_id: kind === "shop" ? id : null, segment_id: kind === "segment" ? id : null,
        item: item.code, note: note.value.trim(), fix, inspection_code: null,
      }, work.photos, { draft: name });
      tell(t("已保存，联网后自动上报"));
      go("");
    } catch (error) {
      pressed.disabled = false;
      tell(error instanceof StorageFull ? t("手机存储已满：这一条没有保存，填的内容还在屏幕上。请先联网发送，或删掉手机里不用的东西。") : String(error.message || error), "bad");
    }
    return undefined;
  };
  return { title: t("报案件"), sub: "", back: "", nodes: [notice, el("section.card", {}, field(t("地点"), place), el("h2", {}, t("什么问题")), tiles, chosen, el("h2", {}, t("照片")), photos, field(t("说明（可不填）"), note)), el("div.thumb.one", {}, button(t("保存"), (event) => save(event.currentTarget), { kind: "main" }))] };
}
