//! Systems by their equations alone, a file each, as a user would write them.

mod entry;

use entry::Written;

macro_rules! systems {
    ($($file:ident),*) => {
        $(mod $file;)*
        /// All of them, in the order of lists.
        pub(super) static SYSTEMS: &[Written] = &[$($file::SYSTEM),*];
        /// Their names.
        pub(super) static NAMES: &[&str] = &[$($file::SYSTEM.name),*];
    };
}

systems![
    anishchenko_astakhov,
    arnold_beltrami_childress,
    atmospheric_regime,
    beer_rnn,
    belousov_zhabotinsky,
    blasius,
    bouali,
    bouali2,
    ca_two_plus,
    ca_two_plus_quasiperiodic,
    cellular_neural_network,
    chua,
    coevolving_predator_prey,
    colpitts,
    excitable_cell,
    glycolytic_oscillation,
    guckenheimer_holmes,
    hastings_powell,
    hindmarsh_rose,
    isothermal_chemical,
    itik_banks_tumor,
    jerk_circuit,
    kawczynski_strizhak,
    laser,
    lorenz_bounded,
    lu_chen_cheng,
    multi_chua,
    pan_xu_zhou,
    salton_sea,
    san_um_srisuchinwong,
    sprott_more,
    sprott_torus,
    thomas_labyrinth,
    torus,
    windmi_reduced,
    yu_wang,
    yu_wang2
];
