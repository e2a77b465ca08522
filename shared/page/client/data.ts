/** The JSON that the page holds under an id; `undefined` where it holds none. The page is our own, so its shape is known. */
export function readJson<Data>(id: string): Data | undefined {
  const text = document.getElementById(id)?.textContent;
  return text ? (JSON.parse(text) as Data) : undefined; // written by shared/page/report-page.ts
}

/** The rows that the page holds: each line is lines of JSON arrays, gzipped, in base64. */
export async function readRows(): Promise<readonly (readonly string[])[]> {
  const lines = document.getElementById('data')?.textContent.trim().split('\n') ?? [];
  const texts = await Promise.all(lines.filter((line) => line !== '').map(unpack));
  // As shared/page/report-page.ts says.
  return texts.flatMap((text) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as readonly string[]),
  );
}

function unpack(base64: string): Promise<string> {
  const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
}
