// Puts a picture without words, grey text on grey and a script into the page; the page's policy must not let the script
// run.
const grey = document.createElement('p');
grey.textContent = 'grey on grey';
grey.style.color = '#777';
grey.style.background = '#888';
document.querySelector('main, body').append(document.createElement('img'), grey);
const script = document.createElement('script');
script.textContent = 'window.beltwatchRan = true';
document.body.append(script);
