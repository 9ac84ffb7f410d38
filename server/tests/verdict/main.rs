//! The verdict, judged from outside: tables of journals at the borders of each finding, and full journals.

mod journal;
mod rows;
mod speed;
