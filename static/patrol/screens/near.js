/* No plate to scan: the five nearest, a reason, and a photo in place of the scan. */

import { arrive } from "../arrival.js";
import { day, locate, nearest, stopById } from "../day.js";
import { el, field, redrawn, tell } from "../page.js";
import { develop } from "../photos.js";
import { metres, t } from "../words.js";

const REASONS = ["牌破损", "牌脏污或被遮挡", "没有牌", "牌扫不出", "牌与店不符"];

export default async function near([part, plate], { go }) {
  const mismatch = part === "mismatch"; // a plate was scanned that belongs to another shop
  const chosenId = mismatch ? null : part;
  const list = el("fieldset.near", {}, el("legend", {}, t("离您最近的五家")));
  let chosen = chosenId || null;
  const draw = () => {
    const found = nearest();
    const extra = chosenId && !found.some(({ stop }) => stop.storefront_id === chosenId) ? [{ stop: stopById(chosenId), metres: null }] : [];
    redrawn(list, el("legend", {}, day.fix ? t("离您最近的五家") : t("还没有定位，按路线顺序列出")), ...[...extra, ...found].filter(({ stop }) => stop).map(({ stop, metres: away }) => el("label.row", {},
      el("input", { type: "radio", name: "stop", value: stop.storefront_id, checked: stop.storefront_id === chosen, onchange: () => { chosen = stop.storefront_id; } }),
      el("span.grow", {}, el("b", {}, stop.name || t("空置铺位")), el("span.sub", {}, stop.address || `${stop.road} ${stop.house_number}`)), el("span.away", {}, metres(away)))));
  };
  draw();
  locate({ watchMs: 5000, seen: (fix) => { day.fix = fix; draw(); } }).then(draw);
  const reason = el("select", { name: "because", required: true }, el("option", { value: "" }, t("请选择")), ...REASONS.map((one) => el("option", { value: one, selected: mismatch && one === "牌与店不符" }, t(one))));
  let photo = null;
  const preview = el("p.sub", {}, t("照片代替扫码，请拍到店招和门口。"));
  const camera = el("input", { type: "file", accept: "image/*", capture: "environment", name: "photo", onchange: async () => {
    try { photo = await develop(camera.files[0], "camera"); preview.textContent = t("已拍好一张"); } catch { photo = null; preview.textContent = t("这张照片打不开，请重拍。"); }
  } });
  const form = el("form", { onsubmit: async (event) => {
    event.preventDefault();
    const stop = stopById(chosen);
    if (!stop) return tell(t("请先选一家店"), "bad");
    if (!reason.value) return tell(t("请选原因"), "bad");
    if (!photo) return tell(t("请拍一张照片"), "bad");
    await arrive(stop, { how: "picked", because: reason.value, ...(mismatch && plate ? { seen_plate: plate } : {}) }, photo);
    return go(`visit/${stop.storefront_id}`);
  } }, list, field(t("原因"), reason), field(t("现场照片"), camera), preview, el("button.main", { type: "submit" }, t("打卡")));
  return { title: t("牌坏了/没有牌"), sub: "", back: "", nodes: [el("section.card", {}, form)] };
}
