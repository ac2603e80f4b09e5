using System.Net.Sockets;
using Orleans.Runtime.Messaging;
using Orleans.Storage;

namespace Taba.Grains.Errors;

/// <summary>The errors of a call after which the same call may succeed. Every other one is the answer.</summary>
public static class PassingErrors
{
    /// <summary>True when silos or the network are the cause: a silo died, left, hangs, or is not reached.</summary>
    public static bool OfSilos(Exception error) => CallException.In(error) is { } call
        ? call.Kind is CallFault.Passing
        : error switch
        {
            OperationCanceledException cancelled => !cancelled.CancellationToken.IsCancellationRequested,
            _ => error is TimeoutException or OrleansMessageRejectionException or ConnectionFailedException
                or EnumerationAbortedException or InconsistentStateException or SocketException,
        };

    /// <summary>The same, and when a cluster's database or store is: somebody will mend it.</summary>
    public static bool OfCluster(Exception error) => OfSilos(error) || CallException.In(error) is { Kind: CallFault.Store };
}
