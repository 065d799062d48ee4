//! Profiles, what they are rendered from, and what is allowed to be otherwise in them.

use std::fmt::Display;

use release::{ComposeSource, External, HelmSource, Overlay, Profile, ProfileSource, Spanned, Workspace};
use source::Span;

use super::Weakening;
use crate::hosts::is_local;

/// The channel whose profiles reach nothing outside, whether they say what is local or not.
const AIRGAP: &str = "airgap";

pub(super) fn compare(protected: &Workspace, own: &Workspace, out: &mut Vec<Weakening>) {
    for profile in &protected.profiles {
        match own.profile(&profile.name) {
            None => out.push(Weakening::new(None, format!("the profile `{}` is gone", profile.name.value))),
            Some(now) => Pair { profile, now, out }.compare(),
        }
    }
    for overlay in &protected.overlays {
        // One that no profile has any more was found there.
        if let Some(now) = own.overlay(&overlay.name) {
            overlay_files(overlay, now, out);
        }
    }
}

fn overlay_files(overlay: &Overlay, now: &Overlay, out: &mut Vec<Weakening>) {
    for (key, known, own) in [("compose", &overlay.files, &now.files), ("env", &overlay.env, &now.env)] {
        if let Some(span) = first_difference(known, own, now.name.span) {
            let what = format!("the overlay `{}` is rendered from other files: `{key}`", now.name.value);
            out.push(Weakening::new(span, what));
        }
    }
}

/// One profile in both files.
struct Pair<'p> {
    profile: &'p Profile,
    now: &'p Profile,
    out: &'p mut Vec<Weakening>,
}

impl Pair<'_> {
    fn add(&mut self, span: Span, what: impl Display) {
        self.out.push(Weakening::new(span, format!("the profile `{}` {what}", self.now.name.value)));
    }

    fn compare(&mut self) {
        let (profile, now) = (self.profile, self.now);
        if now.channel.value != profile.channel.value {
            let what = format!("follows `{}`, not `{}`", now.channel.value, profile.channel.value);
            self.add(now.channel.span, what);
        }
        let ring = |profile: &Profile| profile.ring.as_ref().map(|ring| ring.value.clone());
        if ring(now) != ring(profile) {
            let named = |profile: &Profile| {
                ring(profile).map_or_else(|| "outside of the rings".to_owned(), |ring| format!("in ring `{ring}`"))
            };
            self.add(self.place(&now.ring), format!("is {}, not {}", named(now), named(profile)));
        }
        self.source();
        if let Some(twin) = &profile.twin
            && now.twin.as_ref().is_none_or(|now| now.value != twin.value)
        {
            self.add(self.place(&now.twin), format!("is not compared with `{}`", twin.value));
        }
        self.added("generated", &profile.generated, &now.generated);
        self.external(&profile.external, &now.external);
        self.hosts();
        self.registry_map();
    }

    fn place<T>(&self, value: &Option<Spanned<T>>) -> Span {
        value.as_ref().map_or(self.now.name.span, |value| value.span)
    }

    /// What is rendered.
    fn source(&mut self) {
        match (&self.profile.source, &self.now.source) {
            (ProfileSource::Compose(known), ProfileSource::Compose(own)) => self.compose(known, own),
            (ProfileSource::Helm(known), ProfileSource::Helm(own)) => self.helm(known, own),
            (ProfileSource::Manifests(known), ProfileSource::Manifests(own)) => self.list("manifests", known, own),
            _ => self.add(self.now.name.span, "is rendered from something else"),
        }
    }

    fn compose(&mut self, known: &ComposeSource, own: &ComposeSource) {
        self.list("compose", &known.files, &own.files);
        self.list("env", &known.env, &own.env);
        self.single("project_name", known.project_name.as_ref(), own.project_name.as_ref());
        // Each overlay is checked over all before it: one more at the end takes nothing away.
        let kept = own.overlays.get(..known.overlays.len()).unwrap_or(&own.overlays);
        if let Some(span) = first_difference(&known.overlays, kept, self.now.name.span) {
            self.add(span, "is not checked with the same `overlays`");
        }
    }

    fn helm(&mut self, known: &HelmSource, own: &HelmSource) {
        self.single("chart", Some(&known.chart), Some(&own.chart));
        self.list("values", &known.values, &own.values);
        self.list("set", &known.set, &own.set);
        self.single("release_name", known.release_name.as_ref(), own.release_name.as_ref());
        self.single("namespace", known.namespace.as_ref(), own.namespace.as_ref());
        self.single("kube_version", known.kube_version.as_ref(), own.kube_version.as_ref());
        self.list("api_versions", &known.api_versions, &own.api_versions);
    }

    fn list<T: PartialEq>(&mut self, key: &str, known: &[Spanned<T>], own: &[Spanned<T>]) {
        if let Some(span) = first_difference(known, own, self.now.name.span) {
            self.add(span, format!("is rendered with another `{key}`"));
        }
    }

    fn single<T: PartialEq>(&mut self, key: &str, known: Option<&Spanned<T>>, own: Option<&Spanned<T>>) {
        if known.map(|known| &known.value) != own.map(|own| &own.value) {
            let span = own.map_or(self.now.name.span, |own| own.span);
            self.add(span, format!("is rendered with another `{key}`"));
        }
    }

    fn external(&mut self, known: &External, own: &External) {
        // Taken apart, so that a new kind cannot be forgotten here.
        let External {
            networks,
            volumes,
            secrets,
            configs,
            config_maps,
            service_accounts,
            volume_claims,
            objects,
            healthchecks,
            variables,
        } = own;
        for (key, known, own) in [
            ("networks", &known.networks, networks),
            ("volumes", &known.volumes, volumes),
            ("secrets", &known.secrets, secrets),
            ("configs", &known.configs, configs),
            ("config_maps", &known.config_maps, config_maps),
            ("service_accounts", &known.service_accounts, service_accounts),
            ("volume_claims", &known.volume_claims, volume_claims),
            ("objects", &known.objects, objects),
            ("healthchecks", &known.healthchecks, healthchecks),
            ("variables", &known.variables, variables),
        ] {
            self.added(&format!("external.{key}"), known, own);
        }
    }

    /// Names that excuse something, and that only today's file has.
    fn added(&mut self, key: &str, known: &[Spanned<String>], own: &[Spanned<String>]) {
        for name in own.iter().filter(|name| known.iter().all(|known| known.value != name.value)) {
            self.add(name.span, format!("has `{}` in `{key}`", name.value));
        }
    }

    /// Who says what is local may reach nothing else.
    fn hosts(&mut self) {
        let (known, own) = (&self.profile.hosts, &self.now.hosts);
        match (known, own) {
            (Some(_), None) if self.now.channel.value != AIRGAP => {
                self.add(self.now.name.span, "may reach any host: `hosts` is gone");
            }
            (None, Some(_)) if self.profile.channel.value != AIRGAP => {}
            (_, Some(own)) => {
                let known = known.as_deref().unwrap_or_default();
                for suffix in own {
                    let bare = suffix.value.trim_start_matches('.');
                    if !is_local(bare, known) || !is_local(&format!("x.{bare}"), known) {
                        self.add(suffix.span, format!("may reach `{}`", suffix.value));
                    }
                }
            }
            (_, None) => {}
        }
    }

    /// A registry that counts as that of the release; and without any, images of an air gap may come from everywhere.
    fn registry_map(&mut self) {
        let (known, own) = (&self.profile.registry_map, &self.now.registry_map);
        if own.is_empty() && !known.is_empty() {
            self.add(self.now.name.span, "may pull from any registry: `registry_map` is gone");
        }
        for (from, to) in own {
            let is_known = known.iter().any(|(other, known)| other.value == from.value && known.value == to.value);
            if !is_known {
                self.add(to.span, format!("may pull from `{}` what the release lists of `{}`", to.value, from.value));
            }
        }
    }
}

/// Where `own` first differs; `otherwise` where it ends too early.
fn first_difference<T: PartialEq>(known: &[Spanned<T>], own: &[Spanned<T>], otherwise: Span) -> Option<Span> {
    if known.len() == own.len() && known.iter().zip(own).all(|(known, own)| known.value == own.value) {
        return None;
    }
    let differs =
        own.iter().enumerate().find(|(index, own)| known.get(*index).is_none_or(|known| known.value != own.value));
    Some(differs.map_or(otherwise, |(_, own)| own.span))
}
