// Puts a picture without words and a script into the page; the page's policy must not let the script run.
document.querySelector('main, body').append(document.createElement('img'));
const script = document.createElement('script');
script.textContent = 'window.beltwatchRan = true';
document.body.append(script);
