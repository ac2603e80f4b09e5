using Taba.Client.Embedded;

namespace Taba.Client.Commands;

/// <summary>What commands work with.</summary>
/// <param name="CommandLine">What the user typed.</param>
sealed record CommandServices(Terminal Terminal, IRunHost Host, string CommandLine);
