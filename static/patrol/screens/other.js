/* Another shop is here: what its sign and its licence say, for the office to look into. */

import { photoRow } from "../checklist.js";
import { day, record, stopById } from "../day.js";
import { StorageFull } from "../outbox.js";
import { button, card, el, field, redrawn, tell } from "../page.js";
import { remembered } from "../remember.js";
import { dayOf, t } from "../words.js";

const LICENCE_LENGTH = 18;
const plain = (value) => value.replace(/\s/g, "").toUpperCase();

export default async function other([id], { go, refresh }) {
  const stop = day.shift && stopById(id);
  if (!stop) return { title: t("这里换了店"), back: "", nodes: [card(null, t("这家店不在这一班里。"))] };
  const { name, work, keep, notice } = await remembered("other", id, { sign: "", uscc: "", note: "", photos: [], hashes: [] }, refresh);
  const written = (box, part) => { box.value = work[part]; box.addEventListener("input", () => { work[part] = box.value; keep(); }); return box; };
  const sign = written(el("input", { type: "text", name: "sign", maxlength: "60", autocomplete: "off" }), "sign");
  const licence = written(el("input", { type: "text", name: "uscc", maxlength: "40", autocomplete: "off", autocapitalize: "characters" }), "uscc");
  const note = written(el("textarea", { rows: "2", maxlength: "500", name: "note" }), "note");
  const doubt = el("p.sub", { role: "status" });
  const count = () => {
    const length = plain(licence.value).length;
    doubt.textContent = length && length !== LICENCE_LENGTH ? t("现在 {n} 位，一般是 18 位。请再核对；照抄即可，也能保存。", { n: length }) : "";
  };
  licence.addEventListener("input", count);
  count();
  const photos = el("div", {});
  const drawPhotos = () => redrawn(photos, photoRow(work, work.hashes, (next) => { work.hashes = next; keep(); drawPhotos(); }));
  drawPhotos();
  const save = async (pressed) => {
    if (!sign.value.trim() && !plain(licence.value)) return tell(t("请填写现在的店招或执照号码"), "bad");
    pressed.disabled = true;
    try {
      await record("other_shop", { storefront_id: stop.storefront_id, sign_name: sign.value.trim(), uscc: plain(licence.value), note: note.value.trim(), check_in_id: day.done.get(id)?.id ?? null }, work.photos, { draft: name });
      tell(t("已保存，联网后由街道核实"));
      go(`visit/${id}`);
    } catch (error) {
      pressed.disabled = false;
      tell(error instanceof StorageFull ? t("手机存储已满：这一条没有保存，填的内容还在屏幕上。请先联网发送，或删掉手机里不用的东西。") : String(error.message || error), "bad");
    }
    return undefined;
  };
  return {
    title: t("这里换了店"), sub: stop.address || `${stop.road} ${stop.house_number}`, back: `visit/${id}`,
    nodes: [
      notice, card(null, el("p.lead", {}, t("登记的是：{name}", { name: stop.name || t("空置铺位") })), told(stop),
        field(t("现在的店招"), sign, t("照门头上写的")), field(t("执照号码"), licence, t("统一社会信用代码。只抄门口看得到的，不用进店要")), doubt,
        el("h2", {}, t("照片")), photos, field(t("说明（可不填）"), note)),
      el("div.thumb.one", {}, button(t("保存"), (event) => save(event.currentTarget), { kind: "main" })),
    ],
  };
}

/** What somebody told before, so that nobody tells it twice. */
export function told(stop) {
  const last = stop.other_shop;
  if (!last) return null;
  return el("p.sub", {}, t("{date} 已报过：{what}，等街道核实", { date: dayOf(Date.parse(last.at)), what: [last.sign_name, last.uscc].filter(Boolean).join(" · ") }));
}
