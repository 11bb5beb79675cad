// Runs axe-core, which was put into the page before. Gives a line for each violation and each of its places.
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ['violations'] }).then(
  (found) =>
    done(
      found.violations.flatMap((rule) =>
        rule.nodes.map((node) => `${rule.id} (${rule.impact}): ${node.target.join(' ')}: ${node.failureSummary}`),
      ),
    ),
  (error) => done([`axe-core failed: ${error}`]),
);
