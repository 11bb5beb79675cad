// Fills the form of the sign-in page and sends it. Arguments: name, password.
const form = document.querySelector('form input[type=password]').form;
const field = (element, value) => {
  element.value = value;
  element.dispatchEvent(new Event('input', { bubbles: true }));
};
field(form.querySelector('input:not([type=password]):not([type=hidden]):not([type=checkbox])'), arguments[0]);
field(form.querySelector('input[type=password]'), arguments[1]);
form.requestSubmit();
