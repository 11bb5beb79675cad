// Addresses of everything that the page asked for, which are not of its own server.
return [...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
  .map((entry) => entry.name)
  .filter((name) => !name.startsWith(location.origin + '/') && !name.startsWith('data:') && name !== 'about:blank');
