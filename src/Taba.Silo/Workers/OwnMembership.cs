namespace Taba.Silo.Workers;

/// <summary>Whether this silo is one of the members.</summary>
sealed class OwnMembership(IClusterMembershipService membership, ILocalSiloDetails silo, TimeProvider time)
{
    static readonly TimeSpan s_stoppedAfter = TimeSpan.FromSeconds(5);

    long _checkedAt = time.GetTimestamp();

    /// <summary>Waits until this silo is a member: before that, no grain can be placed.</summary>
    public async Task JoinedAsync(CancellationToken cancellationToken)
    {
        await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(cancellationToken))
        {
            if (snapshot.GetSiloStatus(silo.SiloAddress) == SiloStatus.Active)
                break;
        }
        _checkedAt = time.GetTimestamp();
    }

    /// <summary>
    /// Reads the table of members when this was not called for a while. A process that was stopped and goes on may have been declared dead,
    /// and its own coordinators would still give it parts that others have by now. Orleans ends a silo that reads there of its own death.
    /// </summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (time.GetElapsedTime(_checkedAt) > s_stoppedAfter)
            await membership.Refresh(default, cancellationToken);
        _checkedAt = time.GetTimestamp();
    }
}
