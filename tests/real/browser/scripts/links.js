// Paths of the pages that this one links to, without what only filters them.
return [...new Set(
  [...document.querySelectorAll('a[href]')]
    .filter((link) => link.origin === location.origin && !link.hasAttribute('download'))
    .map((link) => link.pathname),
)];
