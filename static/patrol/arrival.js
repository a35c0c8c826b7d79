/* From a symbol, a number or a pick to a stop of this shift, or to a plain reason why not. */

import { day, stops, stopById } from "./day.js";
import { draft, keepDraft } from "./store.js";
import { recognise } from "./plates.js";
import { tokenIn } from "./tokens.js";
import { t } from "./words.js";

export const draftOf = (storefrontId) => `visit:${day.person.id}:${day.shift.shift.id}:${storefrontId}`;

/** {stop, arrival} for a scanned or typed text; {why} where it leads to no stop. */
export async function fromText(text, how) {
  const token = tokenIn(text, [day.host, ...(day.shift.hosts || [])]);
  if (token) return fromToken(token, how);
  if (how === "scan") return { why: /^https?:/i.test(text) ? t("这不是本街镇的码牌，指向别的网站。请核对牌上的官方网址。") : t("这个二维码不是码牌。") };
  return fromNumber(text);
}

async function fromToken(token, how) {
  const list = day.plates?.trouble ? null : day.plates;
  const found = await recognise(token, list, stops());
  const stop = found.storefront_id && stopById(found.storefront_id);
  if (found.state === "resting") return { why: t("这块牌还没有启用，或已报失、暂停，不能打卡。请告诉路长；要打卡请选“牌坏了/没有牌”。"), stop };
  if (found.state === "over") return { why: t("这块牌已更换或作废，不能打卡。请扫新牌；没有新牌请选“牌坏了/没有牌”。"), stop };
  if (stop) return { stop, arrival: { how, plate_digest: found.digest } };
  if (found.state === "known") return { why: t("牌是真的，但这家店不在这一班的路段里。") };
  if (day.plates?.trouble === "expired") return { why: t("手机上的码牌名单已过期，请联网更新班次后再扫。") };
  return { why: t("这块牌不在本班名单里：可能是别的路段、已更换，或是假牌。") };
}

/** What is typed may be the number of the plate or that of the shop: both stand under the symbol. */
function fromNumber(text) {
  const plain = (value) => String(value || "").replace(/[\s\-·.]/g, "").toUpperCase();
  const wanted = plain(text);
  const fitting = (fits) => stops().flatMap((stop) => {
    const number = [stop.number, stop.plate_number].find((one) => one && wanted && fits(plain(one)));
    return number ? [{ stop, arrival: { how: "typed", number } }] : [];
  });
  const [whole, ...others] = fitting((one) => one === wanted);
  if (whole && !others.length) return whole;
  const loose = wanted.length >= 3 ? fitting((one) => one.endsWith(wanted)) : [];
  if (loose.length === 1) return loose[0];
  if (loose.length > 1) return { why: t("有 {n} 家的编号以此结尾，请输完整编号。", { n: loose.length }) };
  return { why: t("这一班里没有这个编号。请核对牌上的编号，或选“牌坏了/没有牌”。") };
}

/** Note the arrival at once: a killed browser finds it again. What was filled in before stays. */
export async function arrive(stop, arrival, evidence = null) {
  const name = draftOf(stop.storefront_id);
  const old = (await draft(name)) || { answers: {}, photos: [] };
  const photos = old.photos.filter((photo) => !(evidence && photo.source === "scan_frame"));
  if (evidence) photos.push(evidence);
  await keepDraft(name, { ...old, photos, arrival, began: Date.now(), fix: null, verdict: null });
}
