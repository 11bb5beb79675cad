// Forms of the page that change something: where they go, and their fields.
return [...document.querySelectorAll('form')]
  .filter((form) => form.method === 'post')
  .map((form) => [
    new URL(form.action).pathname,
    [...form.elements].filter((field) => field.name).map((field) => [field.name, field.value]),
  ]);
