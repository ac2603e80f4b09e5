using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Taba.Grains;

namespace Taba.Silo.Clusters;

/// <summary>Two living silos of one name could not be told apart: in a status, in a log, on the dashboard.</summary>
static class SiloNames
{
    /// <summary>Whoever lives accepts a connection within this time. One that was killed may stay in the list for longer.</summary>
    static readonly TimeSpan s_answers = TimeSpan.FromSeconds(2);

    /// <param name="services">Those of a silo that has not begun to join.</param>
    /// <param name="name">Its name.</param>
    /// <param name="cluster">The cluster's name, for the message.</param>
    /// <param name="cancellationToken">Ends the look.</param>
    /// <exception cref="BadInputException">A living member of the cluster has the name.</exception>
    public static async Task RequireFreeAsync(
        IServiceProvider services, string name, string cluster, CancellationToken cancellationToken)
    {
        var table = services.GetRequiredService<IMembershipTable>();
        await table.InitializeMembershipTableAsync(true, cancellationToken);
        foreach (var (member, _) in (await table.ReadAllAsync(cancellationToken)).Members)
        {
            if (member.Status == SiloStatus.Active && member.SiloName == name
                && await AnswersAsync(member.SiloAddress.Endpoint, cancellationToken))
            {
                throw new BadInputException(
                    $"--name {name} is taken: a silo of this name works for cluster {cluster} at {member.SiloAddress.Endpoint}. Give "
                    + "another name, or end that one first.");
            }
        }
    }

    static async Task<bool> AnswersAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_answers);
        using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endpoint, limit.Token);
            return true;
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
