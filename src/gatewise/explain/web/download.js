// Gives the reader a file. In: its name and its content.

export function save(name, blob) {
  const address = URL.createObjectURL(blob), link = document.createElement("a");
  Object.assign(link, { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export const fileName = (name) => name.replace(/[^\p{L}\p{N}._-]+/gu, "-") || "gatewise";
