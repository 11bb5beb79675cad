//! Where an agent's signals come from.

use domain::signal::{Capabilities, Script, SourceSpec};

use crate::source::Source;

/// Where an agent's signals come from.
pub enum Feed {
    /// A simulator or a capture; it is asked when it wants to be.
    Script(Box<dyn Script>),
    /// Sources that listen to a real machine. Those that come first go first where two tell the same.
    Sources(Vec<Box<dyn Source>>),
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.specs().iter().map(|spec| &spec.name)).finish()
    }
}

impl Feed {
    /// What is known of each source, in their order.
    pub fn specs(&self) -> Vec<SourceSpec> {
        match self {
            Feed::Script(script) => vec![script.spec()],
            Feed::Sources(sources) => sources.iter().map(|source| source.spec()).collect(),
        }
    }

    /// What all of them together can report.
    pub fn capabilities(&self) -> Capabilities {
        let specs = self.specs();
        let mut all = Capabilities::default();
        for spec in &specs {
            all = all.and(spec.capabilities);
        }
        if specs.iter().filter(|spec| spec.capabilities.has(Capabilities::SPEED)).count() > 1 {
            all = all.and(Capabilities::SECOND_SPEED);
        }
        all
    }
}

impl<S: Script + 'static> From<Box<S>> for Feed {
    fn from(script: Box<S>) -> Feed {
        Feed::Script(script)
    }
}

impl From<Box<dyn Script>> for Feed {
    fn from(script: Box<dyn Script>) -> Feed {
        Feed::Script(script)
    }
}
