//! The verdict, judged from outside: tables of journals at the borders of each finding, of what
//! excuses it, and of the figures, full journals, and a model of a
//! good client, whose journals must be without a `fail` or a `warn`, with a mutant for each finding.

mod excuses;
mod figures;
mod journal;
mod model;
mod mutants;
mod plan;
mod rows;
mod speed;
mod world;
