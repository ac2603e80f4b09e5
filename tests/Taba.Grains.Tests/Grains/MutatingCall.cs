namespace Taba.Grains.Tests.Grains;

/// <summary>A call of a grain that changes something, and how to see what it changed.</summary>
/// <param name="Call">The call.</param>
/// <param name="Observe">All that it can change, as text; it must differ after the first call.</param>
/// <param name="Stale">The same call with an attempt of before; null when the call carries no attempt.</param>
sealed record MutatingCall(Func<Task> Call, Func<Task<string>> Observe, Func<Task>? Stale = null);
