namespace Taba.Grains.Faults;

/// <summary>A host that gets no rows of a stage for a while, because it failed there.</summary>
/// <param name="Host">Its name.</param>
/// <param name="Worker">The address by which it asked last.</param>
/// <param name="Reason">Why it failed, in words.</param>
/// <param name="Failures">How often it failed in a row; parts that failed together count once.</param>
/// <param name="Remaining">
/// When it is asked again; zero when it is being tried, the longest that there is when only a submission ends it.
/// </param>
[GenerateSerializer, Immutable, Alias("taba.HostPause")]
public sealed record HostPause(string Host, string Worker, string Reason, int Failures, TimeSpan Remaining);
