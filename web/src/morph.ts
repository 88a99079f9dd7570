// Brings the nodes under `to` to the likeness of `from` with the fewest changes, so that a growing paragraph keeps its
// nodes (and with them hover, selection and scroll) from one frame to the next.

export function morphChildren(to: Node, from: Node): void {
  let old = to.firstChild;
  let next = from.firstChild;
  while (next) {
    const following = next.nextSibling;
    if (!old) to.appendChild(next);
    else {
      const after = old.nextSibling;
      if (!morphNode(old, next)) to.replaceChild(next, old);
      old = after;
    }
    next = following;
  }
  while (old) {
    const after = old.nextSibling;
    to.removeChild(old);
    old = after;
  }
}

function morphNode(to: Node, from: Node): boolean {
  if (to.nodeType !== from.nodeType || to.nodeName !== from.nodeName) return false;
  if (to instanceof Text) {
    const text = (from as Text).data;
    if (text.startsWith(to.data)) to.appendData(text.slice(to.length));
    else if (to.data !== text) to.data = text;
    return true;
  }
  if (!(to instanceof Element)) return false;
  const wanted = from as Element;
  // A node that drew itself (code card, formula) stays while its source does.
  if (to.hasAttribute("data-source") || wanted.hasAttribute("data-source"))
    return to.getAttribute("data-source") === wanted.getAttribute("data-source");
  for (const name of to.getAttributeNames()) if (!wanted.hasAttribute(name)) to.removeAttribute(name);
  for (const name of wanted.getAttributeNames()) {
    const value = wanted.getAttribute(name)!;
    if (to.getAttribute(name) !== value) to.setAttribute(name, value);
  }
  morphChildren(to, from);
  return true;
}
