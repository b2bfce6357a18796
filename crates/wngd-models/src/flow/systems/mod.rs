//! Systems by name, a file each.

mod aizawa;
mod arneodo;
mod burke_shaw;
mod chen;
mod chen_lee;
mod coullet;
mod dadras;
mod dequan_li;
mod double_well;
mod entry;
mod finance;
mod genesio_tesi;
mod hadley;
mod halvorsen;
#[cfg(feature = "autodiff")]
mod lines;
mod liu_chen;
mod lorenz63;
mod lorenz84;
mod lu_chen;
mod moore_spiegel;
mod newton_leipnik;
mod nose_hoover;
mod pehlivan_wei;
mod qi_chen;
mod rabinovich_fabrikant;
mod rayleigh_benard;
mod rikitake;
mod roessler;
mod rucklidge;
mod sakarya;
mod shimizu_morioka;
mod sprott_a;
mod sprott_b;
mod sprott_c;
mod sprott_d;
mod sprott_e;
mod sprott_f;
mod sprott_g;
mod sprott_h;
mod sprott_i;
mod sprott_j;
mod sprott_jerk;
mod sprott_k;
mod sprott_l;
mod sprott_m;
mod sprott_n;
mod sprott_o;
mod sprott_p;
mod sprott_q;
mod sprott_r;
mod sprott_s;
mod system;
mod terms;
mod thomas;
mod tsucs2;
mod vallis;
mod van_der_pol;
mod wang_sun;
#[cfg(feature = "autodiff")]
mod written;
mod zhou_chen;

use entry::Entry;

pub use chen::Chen;
pub use double_well::DoubleWell;
pub use lorenz63::Lorenz63;
pub use roessler::Roessler;
pub use system::System;
pub use thomas::Thomas;
pub use van_der_pol::VanDerPol;

/// Systems with a field of their own, in the order of lists; those by equations alone follow.
static ENTRIES: &[Entry] = &[
    lorenz63::ENTRY,
    roessler::ENTRY,
    chen::ENTRY,
    thomas::ENTRY,
    van_der_pol::ENTRY,
    double_well::LINE,
    double_well::PLANE,
    aizawa::ENTRY,
    arneodo::ENTRY,
    burke_shaw::ENTRY,
    chen_lee::ENTRY,
    coullet::ENTRY,
    dadras::ENTRY,
    dequan_li::ENTRY,
    finance::ENTRY,
    genesio_tesi::ENTRY,
    hadley::ENTRY,
    halvorsen::ENTRY,
    liu_chen::ENTRY,
    lorenz84::ENTRY,
    lu_chen::ENTRY,
    moore_spiegel::ENTRY,
    newton_leipnik::ENTRY,
    nose_hoover::ENTRY,
    pehlivan_wei::ENTRY,
    qi_chen::ENTRY,
    rabinovich_fabrikant::ENTRY,
    rayleigh_benard::ENTRY,
    rikitake::ENTRY,
    rucklidge::ENTRY,
    sakarya::ENTRY,
    shimizu_morioka::ENTRY,
    sprott_a::ENTRY,
    sprott_b::ENTRY,
    sprott_c::ENTRY,
    sprott_d::ENTRY,
    sprott_e::ENTRY,
    sprott_f::ENTRY,
    sprott_g::ENTRY,
    sprott_h::ENTRY,
    sprott_i::ENTRY,
    sprott_j::ENTRY,
    sprott_jerk::ENTRY,
    sprott_k::ENTRY,
    sprott_l::ENTRY,
    sprott_m::ENTRY,
    sprott_n::ENTRY,
    sprott_o::ENTRY,
    sprott_p::ENTRY,
    sprott_q::ENTRY,
    sprott_r::ENTRY,
    sprott_s::ENTRY,
    tsucs2::ENTRY,
    vallis::ENTRY,
    wang_sun::ENTRY,
    zhou_chen::ENTRY,
];

/// Names of those by equations alone, which expressions have to be read for.
#[cfg(feature = "autodiff")]
static WRITTEN: &[&str] = written::NAMES;
#[cfg(not(feature = "autodiff"))]
static WRITTEN: &[&str] = &[];

/// Names that [`system`] knows.
pub static SYSTEM_NAMES: &[&str] = &{
    let mut names = [""; ENTRIES.len() + WRITTEN.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = if i < ENTRIES.len() { ENTRIES[i].name } else { WRITTEN[i - ENTRIES.len()] };
        i += 1;
    }
    names
};

/// The system of a given name; [`SYSTEM_NAMES`] lists them.
///
/// ```
/// let lorenz = wngd_models::flow::system("lorenz63").expect("a known name");
/// assert_eq!(lorenz.field.parameter_names(), ["sigma", "rayleigh", "beta"]);
/// ```
pub fn system(name: &str) -> Option<System> {
    if let Some(entry) = ENTRIES.iter().find(|entry| entry.name == name) {
        return Some(entry.system());
    }
    #[cfg(feature = "autodiff")]
    if let Some(written) = written::SYSTEMS.iter().find(|written| written.name == name) {
        return written.system().ok();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::field::{VelocityField, check_field};

    #[test]
    fn every_registered_system_has_exact_derivatives() {
        for name in SYSTEM_NAMES {
            let system = system(name).unwrap_or_else(|| panic!("{name}: its equations are no expressions"));
            let inside = |share: f64| -> Vec<f64> {
                system.lower.iter().zip(&system.upper).map(|(a, b)| a + share * (b - a)).collect()
            };
            // Near a kink, or on a steep flank, differences say nothing.
            let checks = [0.61, 0.43, 0.27].map(|share| check_field(&*system.field, &inside(share), &system.theta));
            let exact = checks.iter().any(|c| c.rate_x >= 1.9) && checks.iter().any(|c| c.rate_theta >= 1.9);
            assert!(exact && checks.iter().all(|c| c.visits_agree), "{name}: {checks:?}");
            let x = inside(0.61);
            assert_eq!(system.field.parameter_names().len(), system.field.dim_param());
            assert_eq!(system.field.name(), *name);
            assert!(system.lower.len() == system.field.dim() && system.start.len() == system.field.dim());
            // The equations that are shown are those that are computed.
            let written = system.written().unwrap();
            let (mut shown, mut computed) = (x.clone(), x.clone());
            written.velocity(&x, &system.theta, &mut shown);
            system.field.velocity(&x, &system.theta, &mut computed);
            let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * (1.0 + b.abs());
            assert!(shown.iter().zip(&computed).all(close), "{name}: {shown:?} {computed:?}");
        }
        assert!(system("nowhere").is_none());
    }

    #[test]
    fn no_two_systems_share_a_name() {
        let names: std::collections::BTreeSet<_> = SYSTEM_NAMES.iter().collect();
        assert_eq!(names.len(), SYSTEM_NAMES.len());
    }
}
