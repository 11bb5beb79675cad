// What has the focus, and whether a person can see that it has. Nothing: the focus is on no control.
const element = document.activeElement;
if (!element || element === document.body) return {};
const name = [
  element.tagName.toLowerCase(),
  element.closest('[data-id]')?.dataset.id ?? '',
  element.id || element.getAttribute('href') || element.name || element.form?.getAttribute('action') || element.textContent.trim(),
].join(' ');
const style = getComputedStyle(element);
const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
const place = element.getBoundingClientRect();
const onScreen = place.bottom > 0 && place.top < innerHeight && place.width > 0;
return { name, is_visible: element.matches(':focus-visible') && (outlined || style.boxShadow !== 'none') && onScreen };
