const REFRESH_MS = 5_000;

/** Loads the page again every five seconds, for as long as whoever reads it lets it. */
function keepUpToDate(place: HTMLElement): void {
  const box = Object.assign(document.createElement('input'), { type: 'checkbox', checked: true });
  const label = document.createElement('label');
  label.append(box, ' Load this page again every five seconds');
  place.replaceChildren(label);
  setInterval(() => {
    if (box.checked) location.reload();
  }, REFRESH_MS);
}

const place = document.getElementById('refresh');
if (place) keepUpToDate(place);
