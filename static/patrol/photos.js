/* Photos: scaled to 1600 px on the phone, hashed, and never larger than the server takes. */

import { sha256 } from "./ids.js";

export const LONGEST_PX = 1600;
const QUALITY = 0.82;

/** A photo as the outbox wants it, from a file, a video or a canvas. Raises when it is no picture. */
export async function develop(source, kind, longest = LONGEST_PX) {
  const picture = source instanceof Blob ? await createImageBitmap(source, { imageOrientation: "from-image" }) : source;
  const wide = picture.videoWidth || picture.width, high = picture.videoHeight || picture.height;
  if (!wide || !high) throw new Error("no picture");
  const shrink = Math.min(1, longest / Math.max(wide, high));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(wide * shrink));
  canvas.height = Math.max(1, Math.round(high * shrink));
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close?.();
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  if (!blob) throw new Error("no picture");
  const bytes = await blob.arrayBuffer();
  return {
    sha256: await sha256(bytes), type: "image/jpeg", bytes, source: kind,
    width_px: canvas.width, height_px: canvas.height, taken_at: new Date().toISOString(),
  };
}
