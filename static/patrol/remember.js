/* What stands in a form outlives a killed browser: kept as it is typed, gone once it is saved. */

import { day } from "./day.js";
import { button, el, tell } from "./page.js";
import { dropDraft, keepDraft, draft as recallDraft } from "./store.js";
import { t } from "./words.js";

/** {name, work, keep, notice}: `work` as it was left, else `blank`; `keep()` after each change. */
export async function remembered(form, place, blank, refresh) {
  const name = `${form}:${day.person.id}:${day.shift.shift.id}:${place}`;
  const left = await recallDraft(name);
  const work = { ...blank, ...left };
  const keep = () => keepDraft(name, work).catch(() => tell(t("手机存储已满：没写完的内容存不下，先发送或清理。"), "bad"));
  const clear = async () => { await dropDraft(name); refresh(); };
  return { name, work, keep, notice: left ? el("p.notice", {}, t("上次没有保存的内容还在。"), " ", button(t("清空重填"), clear, { kind: "plain" })) : null };
}
