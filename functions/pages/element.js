// Elements, of text alone: nothing here makes markup of one.

/** An element. Properties that it does not have become attributes; a child that is neither element nor text is none. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [property, value] of Object.entries(properties)) {
    if (property in made) made[property] = value;
    else made.setAttribute(property, value);
  }
  made.append(...children.filter((child) => child instanceof Node || typeof child === 'string'));
  return made;
}
