//! The process: arguments, configuration, log, listeners, runtime, signals, exit code.

use std::{
    env,
    ffi::OsString,
    fmt,
    future::{Future, poll_fn},
    io::{self, IsTerminal as _, Write as _},
    net::{IpAddr, TcpListener},
    path::Path,
    process::{ExitCode, exit},
    task::Poll,
};

use roomd::{
    bench,
    config::{self, Command, Configuration, Invalid, Plan, Request, Settings},
    server::{
        self, banner, descriptors, listen, logging,
        systemd::{self, Supervisor},
    },
    status,
};
use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to be done when even this cannot be written.
            let _ = writeln!(io::stderr(), "{}roomd: {failure}", logging::prefix_of_errors());
            failure.exit_code()
        }
    }
}

/// Why roomd does not run, or not any longer.
enum Failure {
    /// A flag or a setting: `EX_CONFIG` of sysexits(3).
    Invalid(Invalid),
    /// A certificate or its key: `EX_CONFIG`, too.
    #[cfg(feature = "tls")]
    Unusable(server::tls::Unusable),
    /// What the system refused: `EX_OSERR`.
    System(String),
    /// A measurement without a result, or with a bad one.
    Bench(bench::Failure),
    /// A server that is not there, refuses or is not well.
    Status(status::Failure),
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Invalid(_) => ExitCode::from(78),
            #[cfg(feature = "tls")]
            Self::Unusable(_) => ExitCode::from(78),
            Self::System(_) => ExitCode::from(71),
            Self::Bench(failure) => ExitCode::from(failure.exit_code()),
            Self::Status(failure) => ExitCode::from(failure.exit_code()),
        }
    }

    fn system(error: impl fmt::Display) -> Self {
        Self::System(error.to_string())
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(invalid) => invalid.fmt(f),
            #[cfg(feature = "tls")]
            Self::Unusable(unusable) => unusable.fmt(f),
            Self::System(text) => f.write_str(text),
            Self::Bench(failure) => failure.fmt(f),
            Self::Status(failure) => failure.fmt(f),
        }
    }
}

fn run() -> Result<(), Failure> {
    let mut arguments = env::args_os().skip(1).peekable();
    if arguments.next_if(|word| word == config::BENCH).is_some() {
        return measure(arguments);
    }
    if arguments.next_if(|word| word == config::STATUS).is_some() {
        return ask(arguments);
    }
    let (command, flags) = match config::request(arguments)? {
        Request::Help => return print(&config::help()),
        Request::Version => return print(config::version()),
        Request::Run(command, flags) => (command, flags),
    };
    let configuration = Configuration::load(flags, env::vars_os(), Path::new(config::DEFAULT_PATH))?;
    match command {
        Command::Serve => {
            check(&configuration)?;
            serve(configuration)
        }
        Command::Plan => {
            // Also when it is too large: that is when it is looked at.
            print(&Plan::of(&configuration.settings).to_string())?;
            configuration.check_plan()?;
            Ok(())
        }
        Command::CheckConfig => {
            check(&configuration)?;
            print(&config::report(&configuration))
        }
    }
}

/// What the settings alone cannot tell.
fn check(configuration: &Configuration) -> Result<(), Failure> {
    configuration.check_plan()?;
    #[cfg(feature = "tls")]
    server::tls::check(&configuration.settings).map_err(Failure::Unusable)?;
    Ok(())
}

/// A result is printed also if it is a bad one.
fn measure(arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let mut printed = Ok(());
    let measured = bench::run(arguments, |text| printed = print(text));
    printed?;
    measured.map_err(Failure::Bench)
}

fn ask(arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let mut printed = Ok(());
    let asked = status::run(arguments, env::vars_os(), |text| printed = print(text));
    printed?;
    asked.map_err(Failure::Status)
}

/// A reader that has gone (`roomd plan | head -1`) is no failure.
fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::System(format!("standard output: {error}; let it be written to")))
        }
        _ => Ok(()),
    }
}

/// Everything is checked before anything is bound, and all is bound before anyone is told.
fn serve(mut configuration: Configuration) -> Result<(), Failure> {
    logging::start(configuration.settings.log);
    descriptors::ensure(&configuration.settings).map_err(Failure::system)?;
    let inherited = systemd::listeners(&configuration.settings).map_err(Failure::system)?;
    let are_inherited = inherited.is_some();
    let listeners = match inherited {
        Some(listeners) => listeners,
        None => listen::bind(&configuration.settings).map_err(Failure::system)?,
    };
    // Those that were handed over may be more than in the settings, each with a backlog in the kernel.
    configuration.settings.listen = listen::bound(&listeners);
    configuration.check_plan()?;
    let settings = configuration.settings;
    let runtime = runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| Failure::System(format!("runtime: {error}; see the limits of the unit")))?;
    runtime.block_on(async {
        let stop = stop(&settings)
            .map_err(|error| Failure::System(format!("signals: {error}; see the sandbox of the unit")))?;
        let supervisor = Supervisor::from_environment(announce(&settings, &listeners, are_inherited)?);
        let served = server::serve(settings, listeners, supervisor, stop).await;
        served.map_err(|error| Failure::System(format!("serving ended: {error}; see the lines above")))?;
        tracing::info!("stopped");
        Ok(())
    })
}

/// Tells where the page is: to people on a terminal, else in the log. Gives the best of the addresses.
fn announce(settings: &Settings, listeners: &[TcpListener], are_inherited: bool) -> Result<String, Failure> {
    let bound = listen::addresses(listeners);
    let mut interfaces: Vec<IpAddr> =
        if_addrs::get_if_addrs().unwrap_or_default().iter().map(if_addrs::Interface::ip).collect();
    if are_inherited {
        // They may come from a network that cannot be seen from here; the loopback of this one leads nowhere.
        interfaces.retain(|ip| !ip.is_loopback());
    }
    let name = rustix::system::uname();
    let places =
        banner::Places::new(settings.scheme(), &bound, &interfaces, &name.nodename().to_string_lossy());
    if io::stdout().is_terminal() {
        print(&places.banner(settings.token.as_deref()))?;
    } else {
        let listening: Vec<String> = bound.iter().map(ToString::to_string).collect();
        let whose = if are_inherited { " (inherited, so that `listen` is not used)" } else { "" };
        tracing::info!("listening on {}{whose}, open {}", listening.join(" "), places.all().join(" "));
    }
    Ok(places.best().to_owned())
}

/// Completes at the first signal that asks for the end; a second one ends the process at once. SIGHUP is one
/// of them where it does not have the certificate read anew: also a terminal that closes says goodbye.
fn stop(settings: &Settings) -> io::Result<impl Future<Output = ()> + use<>> {
    let mut kinds = vec![SignalKind::terminate(), SignalKind::interrupt()];
    if settings.tls_cert.is_none() {
        kinds.push(SignalKind::hangup());
    }
    let signals: io::Result<Vec<_>> = kinds.into_iter().map(|kind| Ok((kind, signal(kind)?))).collect();
    let mut signals = signals?;
    Ok(async move {
        first(&mut signals).await;
        tracing::info!("stopping; a second signal ends it at once");
        tokio::spawn(async move { exit(128 + first(&mut signals).await) });
    })
}

/// The number of the signal that comes first.
async fn first(signals: &mut [(SignalKind, Signal)]) -> i32 {
    poll_fn(|context| {
        let came = signals
            .iter_mut()
            .find_map(|(kind, signal)| signal.poll_recv(context).is_ready().then_some(kind.as_raw_value()));
        came.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}
