// Names of everything that can be worked by keyboard. A group of radio buttons is reached by one of them.
const name = (element) =>
  [
    element.tagName.toLowerCase(),
    element.closest('[data-id]')?.dataset.id ?? '',
    element.id || element.getAttribute('href') || element.name || element.form?.getAttribute('action') || element.textContent.trim(),
  ].join(' ');
const candidates = document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]');
const names = [...candidates]
  .filter((element) => !element.disabled && element.type !== 'hidden' && element.tabIndex >= 0)
  .filter((element) => element.checkVisibility({ visibilityProperty: true }))
  .filter((element) => element.type !== 'radio' || element.checked
    || !document.querySelector(`input[type=radio][name="${element.name}"]:checked`))
  .map(name);
return [...new Set(names)];
