/** The JSON that the page holds under an id; `undefined` where it holds none. The page is our own, so its shape is known. */
export function readJson<Data>(id: string): Data | undefined {
  const text = document.getElementById(id)?.textContent;
  return text ? (JSON.parse(text) as Data) : undefined; // written by shared/page/report-page.ts
}

/** The rows that the page holds: lines of JSON arrays, gzipped, in base64. */
export async function readRows(): Promise<readonly (readonly string[])[]> {
  const base64 = document.getElementById('data')?.textContent.trim() ?? '';
  if (base64 === '') return [];
  const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const text = await new Response(stream).text();
  if (text === '') return [];
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as readonly string[]); // as above
}
